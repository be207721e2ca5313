import type { Command } from "@eoc/core/machine";
import { attempt } from "../live/limited.js";
import { registry } from "../live/registry.js";
import type { EngineRecord } from "./engine-record.js";
import { claimKey, derivedKey, type PortResult, recordKey, startKey } from "./port-steps.js";
import type { Shop } from "./shop.js";
import type { Track } from "./track.js";

/** The keys of the actions: made, claimed, kept and written (S7). */
export class KeyDesk {
  readonly #shop: Shop;
  readonly #record: EngineRecord;
  readonly #tracks: readonly Track[];
  /** For how long the claims have been renewed. */
  #renewedUntil = 0;

  constructor(shop: Shop, record: EngineRecord, tracks: readonly Track[]) {
    this.#shop = shop;
    this.#record = record;
    this.#tracks = tracks;
  }

  async carryOut(command: Command & { type: "derive_key" | "claim_key" | "start_key" | "record_key" }): Promise<void> {
    const { action } = command;
    const track = this.#tracks[action]!;
    switch (command.type) {
      case "derive_key":
        return this.#derive(action);
      case "claim_key": {
        const { news, held } = await this.#step(command, () => claimKey(this.#shop, command));
        if (news.type === "claim" && news.verdict.state === "claimed") track.token = news.verdict.token;
        if (held !== undefined) track.held = held;
        return;
      }
      case "start_key":
        await this.#step(command, () => startKey(this.#shop, command, track.token!));
        return;
      default:
        await this.#step(command, () => recordKey(this.#shop, command, track.token!, this.#valueOf(track)));
    }
  }

  async #step(command: Command & { action: number }, work: () => Promise<PortResult>): Promise<PortResult> {
    const result = await this.#record.step(`${command.type} ${command.action}`, work);
    this.#record.news(result.news, result.at);
    return result;
  }

  /** What a function of the policy's gives may be another thing the next time; the default is the same every time. */
  async #derive(action: number): Promise<void> {
    const { machine } = this.#shop;
    const derive = async () => ({ at: this.#shop.now(), news: derivedKey(this.#shop, action) });
    if (typeof machine.policy.idempotency.keyGenerator === "function") {
      await this.#step({ type: "derive_key", action }, derive);
    } else this.#record.news(derivedKey(this.#shop, action), machine.at);
  }

  /** What the executor gave, where this process knows it or it is on record. */
  #valueOf({ nonce, held }: Track): { known: unknown } | undefined {
    const outcome = registry.effect(nonce)?.outcome;
    if (outcome?.settlement.kind === "applied") return { known: outcome.value };
    return held && { known: held.json };
  }

  /** Keeps the leases alive while an executor is waited for (S7.3). */
  async renewing<T>(work: () => Promise<T>): Promise<T> {
    const { machine, clock } = this.#shop;
    const { leaseMs, enabled } = machine.policy.idempotency;
    if (!enabled) return work();
    let cancel = () => {};
    const later = () => {
      cancel = clock.setTimer(() => {
        this.#renew(leaseMs);
        later();
      }, leaseMs / 3);
    };
    later();
    try {
      return await work();
    } finally {
      cancel();
    }
  }

  /** Before a wait that may outlast this process: the leases are made to outlast it too. True where a step was taken. */
  async renewUntil(at: number): Promise<boolean> {
    const held = this.#shop.machine.actions.some(({ claimed, row }) => claimed && row === undefined);
    if (!held || at <= this.#renewedUntil) return false;
    this.#renewedUntil = at;
    const { leaseMs } = this.#shop.machine.policy.idempotency;
    await this.#record.step("rest", async () => {
      this.#renew(at - this.#shop.now() + leaseMs);
      return {};
    });
    return true;
  }

  /** A lease that could not be renewed shows when the outcome is written: its token is stale by then. */
  #renew(leaseMs: number): void {
    const { machine, ports } = this.#shop;
    for (const { index, claimed, row, key } of machine.actions) {
      const { token } = this.#tracks[index]!;
      if (!claimed || row !== undefined || token === undefined) continue;
      attempt(() => ports.idempotencyStore!.renew(key!, token, leaseMs));
    }
  }
}
