import type { ExecutionEvent } from "@eoc/core";

/** The events of one execution as they happen, each as a message of an event stream, for any number of readers at their own pace. */
export interface EventLog {
  append(event: ExecutionEvent): void;
  /** The execution is over. Events that come later (S4.5) are kept all the same. */
  close(): void;
  readonly closed: boolean;
  /** Sequence number of the oldest event that is kept, and of the next one to come. */
  readonly firstSeq: number;
  readonly nextSeq: number;
  /** Up to `limit` of the kept messages from `seq` on. */
  read(seq: number, limit: number): readonly string[];
  /** Calls `listener` once, when something is appended or the log is closed. Returns how to leave. */
  wait(listener: () => void): () => void;
}

/** Keeps the last `maxEvents` events, whose `seq` is dense. `grow` is told by how many characters it has grown. */
export function createEventLog(maxEvents: number, grow: (length: number) => void): EventLog {
  const messages: string[] = [];
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
      return firstSeq + messages.length;
    },
    append(event) {
      const message = `id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
      messages.push(message);
      grow(message.length);
      if (messages.length > maxEvents) {
        grow(-messages.shift()!.length);
        firstSeq++;
      }
      wake();
    },
    close() {
      closed = true;
      wake();
    },
    read: (seq, limit) => messages.slice(Math.max(0, seq - firstSeq), Math.max(0, seq - firstSeq) + limit),
    wait(listener) {
      waiting.add(listener);
      return () => {
        waiting.delete(listener);
      };
    },
  };
}
