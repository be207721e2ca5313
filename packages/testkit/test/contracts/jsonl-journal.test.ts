import type { ExecutionEvent } from "@eoc/core";
import { type JournalUnderTest, journalContract } from "@eoc/testkit";
import { describe, it } from "vitest";
// Not by its name: trace's own tests need testkit, and packages must not need each other in a circle.
import { createJsonlJournal, type JournalRecord } from "../../../trace/src/index.js";

/** A journal whose lines are all there is of it. */
function openJournal(together: boolean, lines: string[] = []): JournalUnderTest {
  let isFull = false;
  const records = () => lines.map((line) => JSON.parse(line) as JournalRecord);
  const append = async (line: string) => {
    if (isFull) throw new Error("disk full");
    lines.push(line);
  };
  const appendAll = async (all: readonly string[]) => {
    if (isFull) throw new Error("disk full");
    lines.push(...all);
  };
  return {
    journal: createJsonlJournal({ append, ...(together && { appendAll }), head: records().at(-1) }),
    // Its own records are about the journal, not about an execution.
    read: () =>
      records()
        .map(({ event }) => event as ExecutionEvent)
        .filter(({ type }) => !type.startsWith("journal.")),
    crash: () => openJournal(together, [...lines]),
    goDark: () => {
      isFull = true;
    },
  };
}

for (const [how, together] of [
  ["one line at a time", false],
  ["many lines at a time", true],
] as const) {
  describe(`createJsonlJournal keeps the contract of a journal, ${how}`, () => {
    for (const { name, run } of journalContract(() => openJournal(together), { keepsOrder: true })) it(name, run);
  });
}
