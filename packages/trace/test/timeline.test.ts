import { readFileSync } from "node:fs";
import type { ExecutionEvent } from "@eoc/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createJsonlJournal, type JournalEvent, renderTimeline } from "../src/index.js";
import { crashed, halted, reconciled, retried, unknownReport } from "./scenarios.js";
import { anAttempt, aReport, aRow, eventsOf, PLAN_HASH, STARTED_AT } from "./support.js";

const SCENARIOS = {
  retried: retried(),
  halted: halted(),
  reconciled: reconciled(),
  crashed: crashed(),
  report: unknownReport(),
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters.
const withoutColours = (text: string) => text.replace(/\u001b\[[0-9;]*m/g, "");

/** Columns, counted apart from the code: wide characters take two, combining marks none. */
const width = (line: string) => {
  const shown = [...line].filter((char) => !/\p{M}/u.test(char));
  return shown.length + shown.filter((char) => /[\u4e00-\u9fff\uac00-\ud7a3\p{Emoji_Presentation}]/u.test(char)).length;
};

describe("renderTimeline", () => {
  for (const [name, source] of Object.entries(SCENARIOS)) {
    it(`draws ${name} as its golden file`, async () => {
      await expect(renderTimeline(source)).toMatchFileSnapshot(`golden/${name}.txt`);
    });

    for (const [format, ending] of [
      ["svg", "svg"],
      ["mermaid", "mmd"],
    ] as const) {
      it(`draws ${name} as its golden file, ${format}`, async () => {
        await expect(renderTimeline(source, { format })).toMatchFileSnapshot(`golden/${name}.${ending}`);
      });
    }

    it(`says the same with colours: ${name}`, () => {
      const coloured = renderTimeline(source, { format: "ansi" });
      expect(coloured).toContain("\u001b[");
      expect(withoutColours(coloured)).toBe(renderTimeline(source));
    });
  }

  it("is shown in the README as it is", () => {
    expect(readFileSync(new URL("../README.md", import.meta.url), "utf8")).toContain(renderTimeline(halted()));
  });

  it("shows waits with their cause from events, and only their sum from a report", () => {
    expect(renderTimeline(retried())).toMatch(/wait rate limit +504 +496/);
    expect(renderTimeline(unknownReport())).not.toContain("backoff");
    expect(renderTimeline(unknownReport())).toMatch(/waits, in all +100/);
  });

  it("marks late results, inside the grace and after the report", () => {
    expect(renderTimeline(reconciled())).toContain("applied, late");
    expect(renderTimeline(halted())).toContain("applied, after the report");
  });

  describe("of a journal that stopped", () => {
    const act = { actionIndex: 0, action: "ACT" } as const;
    const attempt = { actionIndex: 0, attemptNumber: 0 };
    const all = eventsOf("stopped", [
      [0, { type: "execution.started", planHash: PLAN_HASH, actionCount: 4 }],
      [0, { type: "action.started", ...act, id: "refund" }],
      [1, { type: "attempt.intended", ...act, attemptNumber: 0 }],
      [2, { type: "attempt.started", ...attempt, limitMs: 5000 }],
      [9, { type: "attempt.finished", ...act, ...attempt, status: "success", startedAtMs: STARTED_AT, latencyMs: 5 }],
    ]);
    const withdrawn = eventsOf("stopped", [
      [0, { type: "execution.started", planHash: PLAN_HASH, actionCount: 4 }],
      [1, { type: "attempt.intended", ...act, attemptNumber: 0 }],
      [1, { type: "attempt.withdrawn", ...attempt, reason: "kill_switch" }],
    ]);
    const factsOf = {
      text: (source: ExecutionEvent[]) => renderTimeline(source).split("\n")[1],
      ansi: (source: ExecutionEvent[]) => withoutColours(renderTimeline(source, { format: "ansi" })).split("\n")[1],
      mermaid: (source: ExecutionEvent[]) =>
        /title stopped · no end recorded · (.*)/.exec(renderTimeline(source, { format: "mermaid" }))?.[1],
      svg: (source: ExecutionEvent[]) => />(\d+ actions?[^<]*)</.exec(renderTimeline(source, { format: "svg" }))?.[1],
    };

    it.each(Object.entries(factsOf))(
      "counts the actions of the plan and what may have been dispatched, %s",
      (_, facts) => {
        expect(facts(all.slice(0, 1))).toBe("4 actions, 4 not on record · 0 dispatches · 0 ms");
        expect(facts(all.slice(0, 3))).toBe("4 actions, 3 not on record · 1 dispatch · 1 ms");
        expect(facts(all.slice(0, 4))).toBe("4 actions, 3 not on record · 1 dispatch · 2 ms");
        expect(facts(all)).toBe("4 actions, 3 not on record · 1 dispatch · 9 ms");
        expect(facts(all.slice(4))).toBe("1 action · 1 dispatch · 0 ms");
        expect(facts(withdrawn)).toBe("4 actions, 3 not on record · 0 dispatches · 1 ms");
      },
    );
  });

  it("draws every span to scale", () => {
    const attempts = [0, 1, 2, 3].map((n) =>
      anAttempt({ attemptNumber: n, startedAtMs: STARTED_AT + n * 250, latencyMs: 250 }),
    );
    const text = renderTimeline(aReport({ attempts, totalLatencyMs: 1000 }));
    const bars = [...text.matchAll(/│([ █]+)│/g)].map(([, bar]) => bar!);
    const size = bars[0]!.length;
    bars.forEach((bar, n) => {
      const from = bar.indexOf("█");
      const to = bar.lastIndexOf("█") + 1;
      expect(Math.abs(from - (n * size) / 4)).toBeLessThanOrEqual(1);
      expect(Math.abs(to - ((n + 1) * size) / 4)).toBeLessThanOrEqual(1);
    });
  });

  it("gives everything at least one cell, also when no time passed", () => {
    const text = renderTimeline(aReport({ totalLatencyMs: 0, attempts: [anAttempt({ latencyMs: 0 })] }));
    expect(text).toMatch(/attempt 0 +0 +0 │█ +│ applied/);
  });

  it("shows an execution that never began", () => {
    const report = aReport({
      status: "denied",
      reason: "invalid_policy",
      failClosed: true,
      actions: [],
      attempts: [],
      totalLatencyMs: 0,
    });
    expect(renderTimeline(report)).toBe(
      "run-42  denied: invalid_policy, fail closed\n0 actions · 0 dispatches · 0 ms\n",
    );
    expect(renderTimeline([])).toBe("");
  });

  it("says why an intent was withdrawn", () => {
    const events = eventsOf("run-1", [
      [0, { type: "execution.started", planHash: PLAN_HASH, actionCount: 1 }],
      [0, { type: "attempt.intended", actionIndex: 0, attemptNumber: 0, action: "ACT" }],
      [9, { type: "attempt.withdrawn", actionIndex: 0, attemptNumber: 0, reason: "kill_switch" }],
    ]);
    expect(renderTimeline(events)).toMatch(/attempt 0 .*!.* not sent: kill_switch/);
  });

  it("draws one picture for every execution, and skips a journal's own records", () => {
    const mixed = [{ type: "journal.opened" } as const, ...retried(), ...halted()];
    expect(renderTimeline(mixed)).toBe(`${renderTimeline(retried())}\n${renderTimeline(halted())}`);
  });

  it("draws an execution that was begun anew under its id, after a crash, as one of its own", () => {
    expect(renderTimeline([...crashed(), ...halted()])).toBe(
      `${renderTimeline(crashed())}\n${renderTimeline(halted())}`,
    );
  });

  it("lets no id move the cursor, colour or reorder the picture", () => {
    const hostile = "a\u001b[31m\u0007\n\u202eb\u2028";
    const text = renderTimeline(aReport({ executionId: hostile, actions: [aRow({ id: hostile })] }));
    expect(text.replaceAll("\n", "")).not.toMatch(/[\p{C}\p{Zl}]/u);
    expect(text).toContain("a�[31m���b�");
    const code = anAttempt({ status: "failed", errorCode: hostile });
    expect(renderTimeline(aReport({ attempts: [code] })).replaceAll("\n", "")).not.toMatch(/[\p{C}\p{Zl}]/u);
  });

  it("counts the columns that characters take", () => {
    const laneOf = (id: string) => renderTimeline(aReport({ actions: [aRow({ id })] })).split("\n")[4]!;
    const plain = laneOf("eeeeeeeeee");
    expect(laneOf("e\u0301".repeat(10)).replaceAll("\u0301", "")).toBe(plain);
    expect(laneOf("漢".repeat(5)).length).toBe(plain.length - 5);
  });

  it("fits 80 columns whatever it is given", () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: "grapheme", maxLength: 200 }), fc.constant("漢字".repeat(40)));
    const ms = fc.oneof(fc.nat(10), fc.nat(), fc.double({ min: 0, max: 1e14, noNaN: true }));
    fc.assert(
      fc.property(text, text, text, ms, ms, ms, (executionId, id, errorCode, at, took, totalLatencyMs) => {
        const report = aReport({
          executionId,
          totalLatencyMs,
          haltLatencyMs: took,
          reason: "idempotency_store_unavailable",
          attempts: [
            anAttempt({ status: "failed", errorCode, startedAtMs: STARTED_AT + at, latencyMs: took, late: true }),
          ],
          actions: [aRow({ id, status: "failed", reason: "retry_budget_unavailable", waitedMs: at })],
        });
        for (const line of renderTimeline(report).split("\n")) expect(width(line)).toBeLessThanOrEqual(80);
      }),
    );
  });

  it("takes events in any number and order without throwing", () => {
    const events: readonly ExecutionEvent[] = [...retried(), ...halted(), ...reconciled()].map((event) => ({
      ...event,
      executionId: "x",
    }));
    fc.assert(
      fc.property(fc.shuffledSubarray([...events]), (some) => {
        for (const line of renderTimeline(some).split("\n")) expect(width(line)).toBeLessThanOrEqual(80);
      }),
    );
  });

  it("refuses what is no event, above all lines and records of a journal, and says nothing of what is in them", async () => {
    const lines: string[] = [];
    const journal = createJsonlJournal({ append: (line) => void lines.push(line) });
    for (const event of retried()) await journal.append(event);
    const records = lines.map((line) => JSON.parse(line) as { event: JournalEvent });
    const of = (source: Iterable<unknown>) => () => renderTimeline(source as Iterable<JournalEvent>);
    for (const [wrong, received] of [
      [lines, "string"],
      [records, "object"],
      [[null], "null"],
      [[[]], "a list"],
      [[{ type: 5 }], "object"],
    ] as const) {
      const message = `events[0] must be an event: of a journal's record, its \`event\`, not ${received}`;
      expect(of(wrong)).toThrow(expect.objectContaining({ code: "invalid_option", message }));
    }
    expect(of([...retried(), records[1]])).toThrow(`events[${retried().length}] must be an event`);
    expect(renderTimeline(records.map(({ event }) => event))).toBe(renderTimeline(retried()));
  });

  it("refuses a format that there is not", () => {
    expect(() => renderTimeline(retried(), { format: "png" as "text" })).toThrow(
      'format must be one of text, ansi, mermaid, svg, not "png"',
    );
  });
});
