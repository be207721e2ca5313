import { type Clock, checkOptionNames, type KillSwitch, type KillSwitchState } from "@eoc/core";
import { checkOption } from "./check-option.js";

/**
 * What one read of a fake kill switch does. `"garbage"` answers with something that is no state at all; a function
 * answers with whatever it returns.
 */
export type ScriptedRead =
  | "clear"
  | "halted"
  | "throws"
  | "rejects"
  | "hangs"
  | "garbage"
  | KillSwitchState
  | (() => unknown);

/** One read that was made. */
export interface KillSwitchRead {
  /** What it did; `"state"` where the script gave a state, `"function"` where it gave a function. */
  readonly did: "clear" | "halted" | "throws" | "rejects" | "hangs" | "garbage" | "state" | "function";
  /** On the wall clock; absent without a clock. */
  readonly atMs?: number;
}

/** A kill switch for tests: can be thrown by hand, scripted, and asked what was done with it. */
export interface FakeKillSwitch extends KillSwitch {
  subscribe(listener: (state: KillSwitchState) => void): () => void;
  /** Halts, and tells the listeners. */
  halt(reason?: string): void;
  /** Flips back, and tells the listeners. */
  clear(): void;
  readonly reads: readonly KillSwitchRead[];
  readonly listenerCount: number;
}

/**
 * Makes a {@link FakeKillSwitch}. The script says what the first reads do, one each; later reads answer the state that
 * `halt` and `clear` have left.
 * @throws EocError `invalid_option`
 */
export function createFakeKillSwitch(
  script: readonly ScriptedRead[] = [],
  options: { clock?: Clock } = {},
): FakeKillSwitch {
  checkOptionNames(options, { clock: true });
  const { clock } = options;
  checkOption(Array.isArray(script), "script", "a list of reads", script);
  for (const [index, read] of script.entries()) {
    checkOption(isRead(read), `script[${index}]`, `${WORDS.join(", ")}, a state or a function`, read);
  }
  const reads: KillSwitchRead[] = [];
  const listeners = new Set<{ listener: (state: KillSwitchState) => void }>();
  let state: KillSwitchState = { halted: false };
  const change = (next: KillSwitchState) => {
    state = next;
    for (const { listener } of [...listeners]) listener({ ...state });
  };
  return {
    reads,
    get listenerCount() {
      return listeners.size;
    },
    read: () => {
      const read = script[reads.length] ?? (state.halted ? state : "clear");
      reads.push({ did: nameOf(read), ...(clock === undefined ? undefined : { atMs: clock.now() }) });
      return answerOf(read);
    },
    subscribe: (listener) => {
      // Wrapped, so that the same function subscribed twice counts twice.
      const entry = { listener };
      listeners.add(entry);
      return () => {
        listeners.delete(entry);
      };
    },
    halt: (reason) => change(reason === undefined ? { halted: true } : { halted: true, reason }),
    clear: () => change({ halted: false }),
  };
}

const WORDS = ["clear", "halted", "throws", "rejects", "hangs", "garbage"];

function isRead(read: unknown): boolean {
  if (typeof read === "object") return typeof (read as KillSwitchState | null)?.halted === "boolean";
  return typeof read === "function" || WORDS.includes(read as string);
}

function nameOf(read: ScriptedRead): KillSwitchRead["did"] {
  if (typeof read === "function") return "function";
  return typeof read === "string" ? read : "state";
}

function answerOf(read: ScriptedRead): KillSwitchState | Promise<KillSwitchState> {
  if (typeof read === "function") return read() as KillSwitchState;
  if (typeof read === "object") return { ...read };
  switch (read) {
    case "clear":
      return { halted: false };
    case "halted":
      return { halted: true, reason: "scripted" };
    case "throws":
      throw new Error("kill switch unreadable");
    case "rejects":
      return Promise.reject(new Error("kill switch unreadable"));
    case "hangs":
      return new Promise(() => {});
    case "garbage":
      return "no state" as unknown as KillSwitchState;
  }
}
