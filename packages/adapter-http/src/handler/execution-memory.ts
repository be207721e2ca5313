import type { Clock } from "@eoc/core";
import { createEventLog, type EventLog } from "./event-log.js";
import type { RememberOptions } from "./options.js";

/** What is remembered of one execution. */
export interface Remembered {
  readonly id: string;
  /** Digest of the request that asked for it. */
  readonly fingerprint: string | undefined;
  readonly log: EventLog;
  /** What its request is answered with; undefined while it runs. */
  readonly answer: RememberedAnswer | undefined;
  /** It is over. */
  finish(answer: RememberedAnswer): void;
  /** It never began. */
  forget(): void;
}

/** A response in the form in which it is kept. */
export interface RememberedAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export interface ExecutionMemory {
  find(id: string): Remembered | undefined;
  /** The execution that an idempotency key stands for. */
  findByKey(key: string): Remembered | undefined;
  /** A new one; undefined when as many are running as can be remembered. */
  begin(key?: string, fingerprint?: string): Remembered | undefined;
}

/** A bounded memory of executions. What is over goes when it is too old, or first in, first out where there is no room. */
export function createExecutionMemory(
  { maxExecutions = 1000, maxAgeMs = 600_000, maxEvents = 10_000, maxBytes = 100_000_000 }: RememberOptions,
  clock: Pick<Clock, "monotonic">,
): ExecutionMemory {
  const byId = new Map<string, Remembered>();
  const byKey = new Map<string, Remembered>();
  /** When those that are over ended, oldest first, and how to let go of them. */
  const over = new Map<string, { endedAtMs: number; forget: () => void }>();

  let bytes = 0;

  const forgetOldest = () => over.values().next().value?.forget();
  /** Makes room for what has grown. The last that is over stays: its caller has only just been answered. */
  const forgetLong = (staying: 0 | 1) => {
    while (bytes > maxBytes && over.size > staying) forgetOldest();
  };
  const forgetAged = () => {
    for (const { endedAtMs, forget } of over.values()) {
      if (clock.monotonic() - endedAtMs < maxAgeMs) return;
      forget();
    }
  };

  return {
    find(id) {
      forgetAged();
      return byId.get(id);
    },
    findByKey(key) {
      forgetAged();
      return byKey.get(key);
    },
    begin(key, fingerprint) {
      forgetAged();
      if (byId.size >= maxExecutions) forgetOldest();
      forgetLong(0);
      if (byId.size >= maxExecutions || bytes > maxBytes) return undefined;
      const id = randomId();
      let ownBytes = 0;
      const grow = (length: number) => {
        // What is forgotten may still have readers, and late events (S4.5).
        if (byId.get(id) !== remembered) return;
        ownBytes += length;
        bytes += length;
        if (length > 0) forgetLong(1);
      };
      const log = createEventLog(maxEvents, grow);
      let answer: RememberedAnswer | undefined;
      const forget = () => {
        if (byId.delete(id)) bytes -= ownBytes;
        over.delete(id);
        if (key !== undefined) byKey.delete(key);
      };
      const remembered: Remembered = {
        id,
        fingerprint,
        log,
        get answer() {
          return answer;
        },
        finish(given) {
          answer = given;
          over.set(id, { endedAtMs: clock.monotonic(), forget });
          grow(given.body.length);
          log.close();
        },
        forget,
      };
      byId.set(id, remembered);
      if (key !== undefined) byKey.set(key, remembered);
      return remembered;
    },
  };
}

/** 128 random bits: nobody finds an execution by guessing. */
function randomId(): string {
  return hex(globalThis.crypto.getRandomValues(new Uint8Array(16)));
}

/** Bytes as hexadecimal digits. */
export function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
