import type { KillSwitch, KillSwitchState } from "@eoc/core";
import { every } from "./machine-time.js";
import type { StoredSwitch } from "./protocol.js";
import type { StoreThread } from "./store-thread.js";

/** What the switch says, and who made it say so. */
export interface SqliteKillSwitchState extends KillSwitchState {
  changedBy?: string;
  /** Absent when nobody has ever touched the switch. */
  changedAtMs?: number;
}

/** A kill switch in a file, for all processes with the file. */
export interface SqliteKillSwitch extends KillSwitch {
  /** @throws StoreError when the file cannot be read: the action that asked is denied (S2.3) */
  read(): Promise<SqliteKillSwitchState>;
  /**
   * Calls `listener` on every change, soon after the start too when the switch is thrown already: changes made here at once, those of
   * other processes within `pollMs`. When the file cannot be read it is told `halted`.
   */
  subscribe(listener: (state: KillSwitchState) => void): () => void;
  /** Resolves when the halt is durable and the listeners here know. The first 500 characters of `reason` and `by` are kept. */
  halt(reason?: string, by?: string): Promise<void>;
  /** Lets new executions dispatch again. */
  clear(by?: string): Promise<void>;
}

/** So much of a reason is kept, as in every store. */
const TEXT_LENGTH = 500;

/** What listeners are told when nobody knows. */
const UNREADABLE: KillSwitchState = Object.freeze({ halted: true, reason: "the kill switch cannot be read" });

export function createSqliteKillSwitch(thread: StoreThread, pollMs: number): SqliteKillSwitch {
  const listeners = new Set<(state: KillSwitchState) => void>();
  /** The last revision that the listeners were told of; −1: that it cannot be read. Undefined: nothing yet. */
  let told: number | undefined;
  let last: KillSwitchState | undefined;
  let stopPolling: (() => void) | undefined;
  let isPolling = false;
  let failures = 0;

  const tell = (revision: number, state: KillSwitchState) => {
    // An answer that was overtaken by a newer one; what cannot be read has no age.
    if (told !== undefined && revision !== -1 && revision <= told) return;
    const isNews = told !== undefined || state.halted;
    told = revision;
    last = state;
    if (isNews) for (const listener of [...listeners]) callSafely(listener, state);
  };

  const poll = async () => {
    // A poll that hangs is answered by the thread's own limit.
    if (isPolling) return;
    isPolling = true;
    try {
      const stored = await thread.request("read_switch");
      failures = 0;
      if (stopPolling !== undefined) tell(stored.revision, stateOf(stored));
    } catch {
      // Not the first time: who reads for himself is to hear that nobody knows, and not of a halt that nobody gave (S2.3).
      if (++failures > 1 && stopPolling !== undefined && told !== -1) tell(-1, UNREADABLE);
    } finally {
      isPolling = false;
    }
  };

  const change = async (halted: boolean, reason: string | undefined, by: string | undefined) => {
    const stored = await thread.request("set_switch", halted, keptOf(reason), keptOf(by));
    if (stopPolling !== undefined) tell(stored.revision, stateOf(stored));
  };

  return {
    read: async () => stateOf(await thread.request("read_switch")),
    subscribe(listener) {
      // A wrapper of its own, so that a listener that subscribes twice is called twice and leaves once at a time.
      const own = (state: KillSwitchState) => listener(state);
      listeners.add(own);
      if (stopPolling === undefined) {
        stopPolling = every(pollMs, () => void poll());
        void poll();
      } else if (last?.halted === true) {
        const state = last;
        queueMicrotask(() => listeners.has(own) && callSafely(own, state));
      }
      return () => {
        listeners.delete(own);
        if (listeners.size > 0) return;
        stopPolling?.();
        stopPolling = undefined;
        failures = 0;
        told = undefined;
        last = undefined;
      };
    },
    halt: (reason, by) => change(true, reason, by),
    clear: (by) => change(false, undefined, by),
  };
}

function keptOf(text: string | undefined): string | null {
  return text === undefined ? null : String(text).slice(0, TEXT_LENGTH);
}

function stateOf({ halted, reason, changedBy, changedAtMs }: StoredSwitch): SqliteKillSwitchState {
  return {
    halted,
    ...(reason === null ? undefined : { reason }),
    ...(changedBy === null ? undefined : { changedBy }),
    ...(changedAtMs === null ? undefined : { changedAtMs }),
  };
}

function callSafely(listener: (state: KillSwitchState) => void, state: KillSwitchState): void {
  try {
    listener(state);
  } catch {
    // One listener's failure keeps none of the others from hearing of a halt.
  }
}
