import { canonicalJson } from "@eoc/decision-schema";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type JournalEvent, openIntents, renderTimeline, verifyJournal } from "../src/index.js";
import { sealRecord } from "../src/journal-record.js";
import { crashed, halted, reconciled, retried } from "./scenarios.js";

/*
 * Whoever chains a journal correctly may put anything into its records that JSON can hold. The verifier and the pictures answer it
 * all; none of it may throw, since that would be no verdict.
 */

const NO_PREV = "0".repeat(64);

function chained(events: readonly unknown[]): string[] {
  let head = { seq: -1, hash: NO_PREV };
  return events.map((event) => {
    const sealed = sealRecord(head, canonicalJson(event));
    head = sealed.head;
    return sealed.line;
  });
}

/** Objects that cannot be made a text or a number of. */
const STUBBORN = { toString: 1, valueOf: 2, toJSON: 3 };
const HOSTILE = [null, true, -1, 1.5, 1e300, "", "x", "__proto__", "constructor", [], [STUBBORN], {}, STUBBORN];

const opening = {
  type: "journal.opened",
  policy: { retry: { maxRetries: 1 } },
  policyDigest: "x",
  versions: { a: "1" },
};
const bounds = {
  type: "journal.bounds",
  executionId: "refunds-7",
  planHash: "5f",
  effects: ["once"],
  policy: {},
  policyDigest: "y",
};
const journals: readonly (readonly object[])[] = [retried(), halted(), reconciled(), crashed()].map(
  ([first, ...rest]) => [
    opening,
    first!,
    bounds,
    ...rest,
    { ...opening, type: "journal.continued", previous: { seq: 1, hash: "x" } },
  ],
);

/** Journals in which one event of every type has one of its fields replaced, or left out. */
function* mutations(): Generator<object[]> {
  const seen = new Set<string>();
  for (const all of journals) {
    for (const [index, event] of (all as { type: string }[]).entries()) {
      if (seen.has(event.type)) continue;
      seen.add(event.type);
      for (const key of Object.keys(event).filter((name) => name !== "type")) {
        for (const value of [...HOSTILE, undefined]) yield all.with(index, { ...event, [key]: value });
      }
      yield all.with(index, { type: event.type });
      yield all.with(index, { ...event, type: "toString" });
    }
  }
}

describe("records that were made up", { timeout: 60_000 }, () => {
  it("get a verdict, whatever is in them", async () => {
    let count = 0;
    for (const events of mutations()) {
      const verdict = await verifyJournal(chained(events), { policy: {} });
      expect(verdict.integrity.verdict).toBe("PASS");
      for (const { message } of [...verdict.pairing.problems, ...verdict.conformance.problems]) {
        expect(message).not.toMatch(/\[object|undefined|function/);
      }
      count++;
    }
    expect(count).toBeGreaterThan(1000);
  });

  it("get a verdict, whatever JSON they are", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue(), { maxLength: 6 }), fc.nat(), async (values, at) => {
        const events = journals.flat();
        for (const [n, value] of values.entries()) {
          const index = (at + n * 7) % events.length;
          events[index] = { ...events[index], ...(Object(value) as object) };
        }
        const lines = chained(events);
        expect((await verifyJournal(lines)).recordCount).toBe(lines.length);
        await openIntents(lines);
      }),
      { numRuns: 60 },
    );
  });

  it("are drawn or left out, and stay inside the picture", () => {
    for (const events of mutations()) {
      for (const format of ["text", "mermaid", "svg"] as const) {
        const drawn = renderTimeline(events as JournalEvent[], { format });
        expect(drawn).not.toMatch(/NaN|Infinity|undefined|\[object/);
      }
    }
  });
});
