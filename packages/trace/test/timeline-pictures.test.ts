import type { ExecutionReport } from "@eoc/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type JournalEvent, renderTimeline } from "../src/index.js";
import { crashed, halted, reconciled, retried, unknownReport } from "./scenarios.js";
import { anAttempt, aReport, aRow, STARTED_AT } from "./support.js";

const SCENARIOS = {
  retried: retried(),
  halted: halted(),
  reconciled: reconciled(),
  crashed: crashed(),
  report: unknownReport(),
};

const svg = (source: ExecutionReport | readonly JournalEvent[]) => renderTimeline(source, { format: "svg" });
const mermaid = (source: ExecutionReport | readonly JournalEvent[]) => renderTimeline(source, { format: "mermaid" });

const HOSTILE = `a"b'c<script>alert(1)</script>&amp;]]>--><![CDATA[:;#%%{init: {}}%%\u001b[31m\u202e\u0000\ufffe\ud800 click href`;

/** Reads XML strictly: tags that close, attributes in quotes and once, no stray `<` or `&`. Gives its texts. */
function textsOf(xml: string): string[] {
  const open: string[] = [];
  const texts: string[] = [];
  const faults: string[] = [];
  const token = /<(\/?)([a-z]+)((?: [a-zA-Z:-]+="[^"<]*")*)(\/?)>|([^<]+)/gy;
  let end = 0;
  for (const match of xml.matchAll(token)) {
    end = match.index + match[0].length;
    const [whole, closes, name, attributes = "", selfCloses, text] = match;
    if (/&(?!#\d+;)/.test(whole)) faults.push(whole);
    if (text !== undefined) texts.push(text);
    else if (closes) {
      if (open.pop() !== name) faults.push(whole);
    } else {
      const names = [...attributes.matchAll(/ ([a-zA-Z:-]+)=/g)].map(([, attribute]) => attribute);
      if (new Set(names).size !== names.length) faults.push(whole);
      if (!selfCloses) open.push(name!);
    }
  }
  expect([faults, end, open]).toEqual([[], xml.length, []]);
  return texts.map((text) => text.replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code))));
}

describe("renderTimeline, svg", () => {
  for (const [name, source] of Object.entries(SCENARIOS)) {
    it(`is well-formed, and says in words all that the text says: ${name}`, () => {
      const said = textsOf(svg(source)).join("\n");
      const lines = renderTimeline(source).trimEnd().split("\n");
      const words = lines.map((line) =>
        line
          .split(/[│ ] {2}|│ /)
          .at(-1)!
          .trim(),
      );
      for (const word of words.filter((text) => /^(applied|not applied|UNKNOWN|denied|skipped|cut short)/.test(text))) {
        expect(said).toContain(word.replace(/ {3}.*/, ""));
      }
      for (const [, label] of renderTimeline(source).matchAll(/^ {2}([a-z]+(?: [a-z0-9]+)*) {2,}/gm)) {
        expect(said).toContain(label);
      }
    });
  }

  it("takes nothing from outside and runs nothing", () => {
    for (const source of [...Object.values(SCENARIOS), aReport({ executionId: HOSTILE })]) {
      expect(svg(source)).not.toMatch(
        /<script|href=|url\(|@import|@font-face|\son[a-z]+=|<foreignObject|<!|<\?|\sid=/i,
      );
    }
  });

  it("lets no id or code out of its place", () => {
    const report = aReport({
      executionId: HOSTILE,
      actions: [aRow({ id: HOSTILE, status: "failed", errorCode: HOSTILE, attemptCount: 0 })],
      attempts: [anAttempt({ status: "failed", errorCode: HOSTILE })],
    });
    const said = textsOf(svg(report)).join("\n");
    expect(said).toContain("a\"b'c<script>alert(1)</script>");
    expect(said.replaceAll("\n", "")).not.toMatch(/[\p{C}\p{Zl}]/u);
  });

  it("gives every tone a shape of its own", () => {
    const shapes = { success: /<rect class="solid applied"/, failed: /stroke-dasharray="2 4"/, unknown: />\?+</ };
    for (const [status, shape] of Object.entries(shapes)) {
      const attempts = [anAttempt({ status: status as "success", latencyMs: 100 })];
      const drawn = svg(aReport({ attempts, totalLatencyMs: 100 }));
      for (const [other, otherShape] of Object.entries(shapes)) expect(otherShape.test(drawn)).toBe(other === status);
      expect(drawn).toMatch(shape);
    }
  });

  it("has colours for light and for dark pages, each readable on its background", () => {
    const [, light, dark] = /<style>(.*?)@media \(prefers-color-scheme: dark\) \{(.*?)\n\}\n<\/style>/s.exec(
      svg(halted()),
    )!;
    for (const rules of [light!, dark!]) {
      const colour = (selector: string) =>
        new RegExp(`^\\.eoc-timeline ${selector.replaceAll(".", "\\.")} \\{ fill: (#[0-9a-f]+); \\}$`, "m").exec(
          rules,
        )![1]!;
      for (const ground of [".back", ".band"]) {
        for (const tone of ["", ".dim", ".applied", ".not_applied", ".unknown", ".denied", ".skipped", ".waiting"]) {
          expect(contrast(colour(`text${tone}`), colour(ground))).toBeGreaterThan(4.5);
        }
      }
    }
  });

  it("draws every span to scale, and what came after the report to the right of its end", () => {
    const attempts = [0, 1, 2, 3].map((n) =>
      anAttempt({ attemptNumber: n, startedAtMs: STARTED_AT + n * 250, latencyMs: 250 }),
    );
    const bars = [
      ...svg(aReport({ attempts, totalLatencyMs: 1000 })).matchAll(
        /<rect class="solid applied" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"/g,
      ),
    ].map(([, x, width]) => [Number(x), Number(width)] as const);
    const [first] = bars;
    bars.slice(0, 4).forEach(([x, width], n) => {
      expect(x).toBeCloseTo(first![0] + n * first![1], 0);
      expect(width).toBeCloseTo(first![1], 0);
    });
    const late = svg(halted());
    const end = Number(/<path class="end" d="M([\d.]+)/.exec(late)![1]);
    expect(Number(/<path class="solid applied" d="M([\d.]+)/.exec(late)![1])).toBeGreaterThan(end);
    expect(svg(retried())).not.toContain('class="end"');
  });

  it("puts a halt apart from the actions, since it stopped them all", () => {
    const places = [...svg(halted()).matchAll(/<text x="([\d.]+)"[^>]*>([^<]*)</g)].map(([, x, text]) => [text, x]);
    const xOf = Object.fromEntries(places) as Record<string, string>;
    expect(xOf["! halt"]).toBe(xOf["2 EXIT close-account"]);
    expect(xOf["! halt"]).not.toBe(xOf["attempt 0"]);
  });

  it("draws bands as wide as the widest of several executions, and no axis where nothing happened", () => {
    expect(svg([...retried(), ...halted()]).match(/class="band"[^>]*width="100%"/g)).toHaveLength(6);
    const none = aReport({ actions: [], attempts: [], totalLatencyMs: 0 });
    expect(textsOf(svg(none))).not.toContain("times in ms");
  });

  it("puts several executions below one another", () => {
    const both = svg([...retried(), ...halted()]);
    expect(textsOf(both).filter((text) => text === "order-1001" || text === "refunds-7")).toEqual([
      "order-1001",
      "refunds-7",
    ]);
    const height = (picture: string) => Number(/ height="([\d.]+)">/.exec(picture)![1]);
    expect(height(both)).toBe(height(svg(retried())) + height(svg(halted())));
  });

  it("is well-formed whatever it is given", { timeout: 20_000 }, () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.constant(HOSTILE));
    const ms = fc.oneof(fc.constant(0), fc.nat(10), fc.double({ min: 0, max: 1e14, noNaN: true }));
    fc.assert(
      fc.property(text, text, text, ms, ms, ms, (executionId, id, errorCode, at, took, totalLatencyMs) => {
        const report = aReport({
          executionId,
          totalLatencyMs,
          attempts: [anAttempt({ status: "failed", errorCode, startedAtMs: STARTED_AT + at, latencyMs: took })],
          actions: [aRow({ id, status: "failed", reason: "rejected", waitedMs: at })],
        });
        expect(svg(report)).not.toMatch(/NaN|Infinity|undefined/);
        textsOf(svg(report));
      }),
      { numRuns: 50 },
    );
  });

  it("is empty when there is nothing to draw", () => {
    expect([svg([]), mermaid([])]).toEqual(["", ""]);
  });
});

describe("renderTimeline, mermaid", () => {
  it("is a Gantt chart whose every task has a start and an end in milliseconds", () => {
    for (const source of Object.values(SCENARIOS)) {
      const [init, kind, ...lines] = mermaid(source).trimEnd().split("\n");
      expect(init).toMatch(/^%%\{init: \{"gantt": \{"leftPadding": \d+\}\}\}%%$/);
      expect(kind).toBe("gantt");
      for (const line of lines) {
        expect(line).toMatch(
          /^ {2}(title .+|dateFormat x|todayMarker off|axisFormat %Q ms|section .+|[^:]+ :[a-z, ]*\d+, \d+)$/,
        );
      }
    }
  });

  it("shows every action, also one that was never dispatched", () => {
    expect(mermaid(halted())).toMatch(
      /section 2 EXIT close-account\n {2}denied - kill_switch :crit, milestone, 700, 700/,
    );
  });

  it("shows waits, halts and late answers where they were", () => {
    expect(mermaid(halted())).toContain("  wait backoff, cut short :active, 201, 700\n");
    expect(mermaid(halted())).toContain("  halt, kill_switch :crit, milestone, 700, 700\n");
    expect(mermaid(halted())).toContain("  late answer, applied, after the report :done, milestone, 1450, 1450\n");
    expect(mermaid(unknownReport())).toContain("waits, in all 100 ms");
  });

  it("puts several executions into one chart", () => {
    const chart = mermaid([...retried(), ...halted()]);
    expect(chart.match(/^gantt$/gm)).toHaveLength(1);
    expect(chart).toContain("  title 2 executions\n");
    expect(chart).toMatch(/section 1 \/ 0 ACT place-order/);
    expect(chart).toMatch(/section 2 \/ refunds-7/);
  });

  it("lets no id end a task, begin a directive or be HTML", () => {
    const report = aReport({
      executionId: HOSTILE,
      actions: [aRow({ id: HOSTILE })],
      attempts: [anAttempt({ status: "failed", errorCode: HOSTILE })],
    });
    const lines = mermaid(report).split("\n").slice(1).join("\n");
    expect(lines.replace(/#\d+;/g, "")).not.toMatch(/[<>&"'{}[\];#\\`|]|%%|\p{Cc}(?<!\n)/u);
    for (const line of lines.split("\n")) expect(line.match(/:/g)?.length ?? 0).toBeLessThanOrEqual(1);
  });
});

function contrast(one: string, other: string): number {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

/** Relative luminance by WCAG 2. */
function luminance(hex: string): number {
  const digits = hex.length === 4 ? [...hex.slice(1)].map((digit) => digit + digit) : hex.slice(1).match(/../g)!;
  const [red, green, blue] = digits.map((pair) => {
    const part = Number.parseInt(pair, 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
