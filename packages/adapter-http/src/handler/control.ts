import type { KillSwitch, KillSwitchState } from "@eoc/core";
import type { Answer } from "./ask.js";
import { json, problem } from "./problem.js";
import { objectOf } from "./read-json.js";

/** A kill switch that can be thrown from outside: that of `createManualKillSwitch` at once, those of stores once they resolve. */
export interface ControlledSwitch extends KillSwitch {
  halt(reason?: string): void | Promise<void>;
  clear(): void | Promise<void>;
}

/** Reads the kill switch; undefined when it does not answer with a state. */
export type ReadSwitch = () => Promise<KillSwitchState | undefined>;

const MAX_REASON_LENGTH = 500;

export function isControlled(killSwitch: KillSwitch | undefined): killSwitch is ControlledSwitch {
  const { halt, clear } = (killSwitch ?? {}) as Partial<ControlledSwitch>;
  return typeof halt === "function" && typeof clear === "function";
}

/** What an answer of the kill switch says; undefined unless it is one of the two states. */
export function stateOf(answer: Answer<unknown>): KillSwitchState | undefined {
  if (!answer.ok || typeof answer.value !== "object" || answer.value === null) return undefined;
  try {
    const { halted, reason } = answer.value as Record<string, unknown>;
    if (typeof halted !== "boolean") return undefined;
    return { halted, ...(typeof reason === "string" ? { reason } : {}) };
  } catch {
    return undefined; // A hostile getter.
  }
}

/** `GET /control`, and what `POST /control` answers. */
export async function showSwitch(read: ReadSwitch): Promise<Response> {
  const state = await read();
  return state === undefined ? problem("kill_switch_unavailable") : json(200, state);
}

/** Throws the switch, within the time that a port has. Rejects when it could not, or when nobody knows whether it did. */
export type ChangeSwitch = (change: (killSwitch: ControlledSwitch) => void | Promise<void>) => Promise<void>;

/** `POST /control`: throws the switch, then shows what it says. */
export async function throwSwitch(body: unknown, change: ChangeSwitch, read: ReadSwitch): Promise<Response> {
  const { halted, reason } = objectOf(body, ["halted", "reason"]) ?? {};
  const named = typeof reason === "string" && reason.length <= MAX_REASON_LENGTH;
  if (typeof halted !== "boolean" || !(reason === undefined || (halted && named))) return problem("invalid_control");
  await change((killSwitch) => (halted ? killSwitch.halt(reason as string | undefined) : killSwitch.clear()));
  return showSwitch(read);
}
