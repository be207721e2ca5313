import { type Input, step } from "@eoc/core/machine";
import { attempt } from "../live/limited.js";
import type { LiveEffect } from "../live/live-effect.js";
import { registry } from "../live/registry.js";
import { deliver } from "./outbox.js";
import { recordKey } from "./port-steps.js";
import type { Shop } from "./shop.js";
import type { Track } from "./track.js";

/** The execution has ended: forgets what this process knew for it, but for executors that have not settled. */
export function leave(shop: Shop, tracks: readonly Track[]): void {
  registry.forgetTold(shop.machine.facts.executionId);
  for (const [action, track] of tracks.entries()) {
    const { nonce, intent, permit } = track;
    if (intent !== undefined) registry.forgetEffect(intent.nonce);
    const unused = registry.takePermit(permit);
    attempt(() => unused?.cancel?.());
    if (nonce === undefined) continue;
    const effect = registry.effect(nonce);
    registry.forgetEffect(nonce);
    if (shop.machine.actions[action]!.unsettled && effect !== undefined) void hearLate(shop, track, action, effect);
  }
}

/** A settlement after the report changes no report, but the key's record and the journal (S4.5). Not on the engine's. */
async function hearLate(shop: Shop, { token }: Track, action: number, effect: LiveEffect): Promise<void> {
  const { machine } = shop;
  const watched = await effect.watch(NOTHING_ELSE);
  if (watched.type !== "settled") return;
  const number = machine.actions[action]!.attempts.length - 1;
  const inputs: Input[] = [{ ...watched, type: "settled", action, attempt: number }];
  for (let input = inputs.shift(); input !== undefined; input = inputs.shift()) {
    input.at = Math.max(machine.at, input.at);
    for (const command of step(machine, input)) {
      if (command.type === "emit") {
        await deliver(shop, [{ type: "event", event: command.event }], machine.policy.timeout.portTimeoutMs);
      } else if (command.type === "record_key") {
        const { news, at } = await recordKey(shop, command, token!, { known: effect.outcome?.value });
        inputs.push({ ...news, at } as Input);
      }
    }
  }
  registry.forgetTold(machine.facts.executionId);
}

const NOTHING_ELSE = {
  timer: () => Number.POSITIVE_INFINITY,
  toldOfHalt: () => true,
  over: () => false,
};
