import type { ExecutionEvent } from "@eoc/core";

/** The events of one execution as they happen, for any number of readers at their own pace. */
export interface EventLog {
  append(event: ExecutionEvent): void;
  /** The execution is over. Events that come later (S4.5) are kept all the same. */
  close(): void;
  readonly closed: boolean;
  /** Sequence number of the oldest event that is kept, and of the next one to come. */
  readonly firstSeq: number;
  readonly nextSeq: number;
  /** Up to `limit` of the kept events from `seq` on. */
  read(seq: number, limit: number): readonly ExecutionEvent[];
  /** Calls `listener` once, when something is appended or the log is closed. Returns how to leave. */
  wait(listener: () => void): () => void;
}

/** Keeps the last `maxEvents` events, whose `seq` is dense. */
export function createEventLog(maxEvents: number): EventLog {
  const events: ExecutionEvent[] = [];
  const waiting = new Set<() => void>();
  let closed = false;
  let firstSeq = 0;
  const wake = () => {
    const woken = [...waiting];
    waiting.clear();
    for (const listener of woken) listener();
  };
  return {
    get closed() {
      return closed;
    },
    get firstSeq() {
      return firstSeq;
    },
    get nextSeq() {
      return firstSeq + events.length;
    },
    append(event) {
      events.push(event);
      if (events.length > maxEvents) {
        events.shift();
        firstSeq++;
      }
      wake();
    },
    close() {
      closed = true;
      wake();
    },
    read: (seq, limit) => events.slice(Math.max(0, seq - firstSeq), Math.max(0, seq - firstSeq) + limit),
    wait(listener) {
      waiting.add(listener);
      return () => {
        waiting.delete(listener);
      };
    },
  };
}
