import { EocError } from "../errors.js";
import type { Machine } from "./state.js";

/** The machine's whole state as plain JSON data: `restore(JSON.parse(JSON.stringify(snapshot(machine))))` goes on from there. */
export interface MachineSnapshot {
  readonly version: 1;
  readonly machine: unknown;
}

/** Takes a copy that later steps do not change. A policy's own `keyGenerator` is not part of it. */
export function snapshot(machine: Machine): MachineSnapshot {
  const { planHash } = machine.plan;
  const plan = { actions: machine.plan.actions, planHash };
  return { version: 1, machine: JSON.parse(JSON.stringify({ ...machine, plan, out: [] })) as unknown };
}

/**
 * The machine that a snapshot was taken of.
 * @throws EocError `invalid_option` when it is not a snapshot of this version.
 */
export function restore(taken: MachineSnapshot): Machine {
  const { version, machine } = (taken ?? {}) as Partial<MachineSnapshot>;
  if (version !== 1 || typeof machine !== "object" || machine === null) {
    const issues = [{ path: "version", expected: "1", received: String(version) }];
    throw new EocError("invalid_option", "not a snapshot of this version", { issues });
  }
  return JSON.parse(JSON.stringify(machine)) as Machine;
}
