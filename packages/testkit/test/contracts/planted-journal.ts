import type { ExecutionEvent } from "@eoc/core";
import type { JournalUnderTest } from "@eoc/testkit";

/** What can be wrong with a journal. */
export type JournalFault =
  | "swallows what it cannot write"
  | "says done before it is durable"
  | "reorders what is not awaited"
  | "drops events that are alike"
  | "writes a line a name"
  | "rounds times"
  | "writes into one file for all"
  | "begins with a record of its own"
  | "answers every third append late"
  | "makes only intents durable"
  | "fails once and goes on"
  | "says nothing of keeping the order";

const shared: string[] = [];

/** A journal in lines, as files are, with at most one thing wrong with it. */
export function plantedJournal(fault?: JournalFault, disk: string[] = []): JournalUnderTest {
  const lines = fault === "writes into one file for all" ? shared : disk;
  const buffer: string[] = [];
  let isFull = false;
  let appends = 0;
  let failures = 0;
  const isSlow = () => appends++ % 3 === 0;
  const write = (line: string) => {
    if (fault === "drops events that are alike" && lines.includes(line)) return;
    lines.push(line);
  };
  const lineOf = (event: ExecutionEvent) => {
    if (fault === "rounds times") return JSON.stringify({ ...event, atMs: Math.trunc(event.atMs / 1000) * 1000 });
    if (fault === "drops events that are alike") return JSON.stringify({ ...event, seq: 0, atMs: 0 });
    return JSON.stringify(event);
  };
  return {
    journal: {
      keepsOrder: fault !== "says nothing of keeping the order",
      append: async (event) => {
        if (isFull) {
          if (fault === "swallows what it cannot write") return;
          if (fault === "fails once and goes on" && failures++ > 0) return;
          throw new Error("disk full");
        }
        if (fault === "reorders what is not awaited" && isSlow()) await Promise.resolve();
        const isLazy =
          fault === "says done before it is durable" ||
          (fault === "makes only intents durable" && event.type !== "attempt.intended");
        if (isLazy) buffer.push(lineOf(event));
        else write(lineOf(event));
        if (fault === "answers every third append late" && isSlow()) await Promise.resolve();
      },
    },
    read: () => {
      const own = fault === "begins with a record of its own" ? ['{"type":"opened"}'] : [];
      const text = [...own, ...lines, ...buffer]
        .map((line) => (fault === "writes a line a name" ? line.replaceAll("\\n", "\n") : line))
        .join("\n");
      return text === "" ? [] : text.split("\n").map((line) => JSON.parse(line) as ExecutionEvent);
    },
    crash: () => plantedJournal(fault, lines),
    goDark: () => {
      isFull = true;
    },
  };
}
