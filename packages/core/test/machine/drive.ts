import { type Command, type Input, type Machine, reportOf, step } from "../../src/machine/index.js";
import type { ExecutionEvent } from "../../src/report/events.js";
import { machineOf, type Scenario } from "./scenario.js";

/** Feeds inputs one by one; those without a time come at the time of the one before. */
export function drive(scenario: Omit<Scenario, "name">) {
  const machine = machineOf({ name: "", ...scenario });
  const events: ExecutionEvent[] = [];
  const feed = (input: Unstamped & { at?: number; wallMs?: number }): Command[] => {
    const commands = step(machine, { at: machine.at, ...input } as Input);
    for (const command of commands) if ("event" in command) events.push(command.event);
    return commands;
  };
  return { machine, events, feed };
}

export type Unstamped = Input extends infer T ? (T extends Input ? Omit<T, "at" | "wallMs"> : never) : never;

/** The types of the commands that are no events. */
export const typesOf = (commands: readonly Command[]) =>
  commands.map(({ type }) => type).filter((type) => type !== "emit");
export const report = (machine: Machine) => reportOf(machine, () => undefined);
export const rowOf = (machine: Machine, index = 0) => machine.actions[index]!.row;

export const START = { type: "start" } as const;
export const INTENDED = { type: "intent", action: 0, ok: true } as const;
export const settled = (kind: "applied" | "invalid", attempt = 0, action = 0) =>
  ({ type: "settled", action, attempt, settlement: { kind } }) as const;
export const BUSY = { kind: "not_applied", code: "busy", retryable: true, retryAfterMs: 0 } as const;
export const KEYED = { idempotency: { enabled: true } };

export const KEY_STARTED = { type: "key_started", action: 0, verdict: "done" } as const;

/** A machine whose only action has a key that it holds, of which the store is asked right before the dispatch. */
export function starting(scenario: Partial<Scenario> = {}) {
  const run = drive({ plan: ["once"], policy: KEYED, ...scenario });
  run.feed(START);
  run.feed({ type: "key_derived", action: 0, key: "k" });
  run.feed({ type: "claim", action: 0, verdict: { state: "claimed", token: 1 } });
  run.feed(INTENDED);
  return run;
}

/** The same, dispatched. */
export function claimed(scenario: Partial<Scenario> = {}) {
  const run = starting(scenario);
  run.feed(KEY_STARTED);
  return run;
}
