import type { ExecutionEvent } from "@eoc/core";
import type { JournalRecord } from "../src/index.js";

/** A sink that takes many lines; its writes end when the test says so. */
export function pagedSink() {
  const writes: string[][] = [];
  const waiting: { resolve: () => void; reject: (error: unknown) => void }[] = [];
  const appendAll = (lines: readonly string[]) => {
    writes.push([...lines]);
    return new Promise<void>((resolve, reject) => waiting.push({ resolve, reject }));
  };
  return { writes, waiting, append: (line: string) => appendAll([line]), appendAll };
}

/** The same, whose writes end by themselves. */
export function quickSink() {
  const writes: string[][] = [];
  const appendAll = async (lines: readonly string[]) => {
    writes.push([...lines]);
    await new Promise(setImmediate);
  };
  return { writes, append: (line: string) => appendAll([line]), appendAll };
}

export const typesOf = (lines: readonly string[]) =>
  lines.map((line) => (JSON.parse(line) as JournalRecord).event.type);

export const turns = async (count = 10) => {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
};

/** Appends, and says which of the appends have ended, and how. */
export function watched(journal: { append(event: ExecutionEvent): void | Promise<void> }) {
  const outcomes: string[] = [];
  return {
    outcomes,
    append(event: ExecutionEvent) {
      const index = outcomes.push("under way") - 1;
      Promise.resolve(journal.append(event)).then(
        () => (outcomes[index] = "kept"),
        () => (outcomes[index] = "failed"),
      );
    },
  };
}
