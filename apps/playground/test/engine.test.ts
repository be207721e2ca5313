import { describe, expect, it } from "vitest";
import { examine, tamper } from "../src/engine/evidence.js";
import { linkOf, textsOfLink } from "../src/engine/link.js";
import { pretty, setupOfTexts, textsOf, unmetLines } from "../src/engine/play-texts.js";
import { record } from "../src/engine/recording.js";
import { setupOfScenario } from "../src/engine/setup-of-scenario.js";
import { endOf } from "../src/engine/tracks.js";
import { parseScenario } from "../src/scenario/scenario.js";
import { parseScript, printScript } from "../src/scenario/script-notation.js";

const decision = { action: "ACT", actions: [{ action: "ACT", id: "refund-7" }] };
const scenario = (more: object = {}) => parseScenario("one-refund", JSON.stringify({ decision, ...more }));
const setup = (script: string, more: object = {}, policy: object = {}) => {
  const made = setupOfScenario(scenario(more), policy, "7");
  return { ...made, world: { ...made.world, replies: parseScript(script).replies } };
};

describe("the script notation", () => {
  it("reads every step, and writes it as it was", () => {
    const script =
      "refund-7: ok, drop, lost, slow 600ms, hang, prepare 200ms, crash, 429 retry 1.5s, 422, 503, 500 applied\n*: slow 2s";
    const { replies, issues } = parseScript(script);
    expect(issues).toEqual([]);
    expect(printScript(replies)).toBe(script);
  });

  it("takes comments, empty lines and times without a unit", () => {
    const { replies, issues } = parseScript("# nothing\n\n  refund-7 :  slow 20 # ms\n");
    expect([issues, printScript(replies)]).toEqual([[], "refund-7: slow 20ms"]);
  });

  const wrong: [script: string, message: RegExp][] = [
    ["refund-7: explode", /`explode` is no step/],
    ["refund-7", /expected `action-id: step, step`/],
    ["refund-7: slow", /takes a time/],
    ["refund-7: slow 2h", /`2h` is no time/],
    ["refund-7: slow 61s", /is no time from 0 to 60s/],
    ["refund-7: ok now", /takes nothing after it/],
    ["refund-7: 429 soon", /`soon` after 429/],
    ["refund-7: 600", /is no step/],
    ["refund-7: ok\nrefund-7: ok", /has a line already/],
    [`refund-7: ${Array(101).fill("ok").join(",")}`, /more than 100 steps/],
    ["refund-7: alert(1)", /is no step/],
  ];
  for (const [script, message] of wrong) {
    it(`refuses ${JSON.stringify(script.slice(0, 40))}, with its line`, () => {
      const [issue, ...others] = parseScript(script).issues;
      expect(others).toEqual([]);
      expect(issue?.line).toBe(script.split("\n").length);
      expect(issue?.message).toMatch(message);
    });
  }
});

describe("a link", () => {
  const base = textsOf(setup("refund-7: drop"));
  const follow = (link: string) => textsOfLink(link, (name) => (name === base.name ? base : undefined));

  it("carries what differs from the scenario, and no more", () => {
    expect(linkOf(base, base)).toBe("#scenario=one-refund&seed=7");
    const changed = { ...base, seed: "a&b", policy: '{"retry":{"maxRetries":1}}', reconcile: true, haltAtMs: 12 };
    expect(follow(linkOf(changed, base))).toEqual({ texts: changed });
  });

  it("takes a halt of the scenario back", () => {
    const halted = { ...base, haltAtMs: 100 };
    const { texts } = textsOfLink(linkOf(base, halted), () => halted);
    expect(texts).toEqual(base);
  });

  it("says what is wrong with it", () => {
    expect(follow("#scenario=none").problem).toContain("none");
    expect(follow("#scenario=one-refund&policy={").problem).toContain("policy");
    expect(follow(`#scenario=one-refund&seed=${"x".repeat(20_001)}`).problem).toContain("too long");
    expect(follow("#share")).toEqual({});
  });
});

describe("the editors", () => {
  it("give the setup back that they were filled with", () => {
    const given = setup(
      "refund-7: 429 retry 1s, drop",
      { reconcile: true, halt_after_ms: 50 },
      { retry: { maxRetries: 1 } },
    );
    expect(setupOfTexts(textsOf(given))).toEqual({ setup: given, issues: [] });
  });

  it("name every field that is wrong, each with its place", () => {
    const texts = textsOf(setup(""));
    const { issues } = setupOfTexts({
      ...texts,
      policy: '{"retry":{"maxRetries":-1},"tries":1}',
      decision: '{"action":"BUY"}',
      script: "x",
    });
    expect(issues.map(({ field, where }) => `${field} ${where}`)).toEqual([
      "decision action",
      "policy retry.maxRetries",
      "policy tries",
      "script line 1",
    ]);
    expect(setupOfTexts({ ...texts, policy: "" }).issues[0]?.message).toBe("it is empty");
    const keyed = '{"action":"ACT","actions":[{"action":"ACT","idempotencyKey":"k"}]}';
    expect(setupOfTexts({ ...texts, decision: keyed }).issues[0]?.where).toBe("actions[0].idempotencyKey");
  });

  it("say which lines of the script no request will meet", () => {
    const { world } = setup("refund-8: drop\n*: ok\nrefund-7: drop");
    expect(unmetLines({ ...setup(""), world }).map(({ field, where }) => [field, where])).toEqual([
      ["script", "refund-8"],
    ]);
  });

  it("show JSON that reads back as what it is", () => {
    const value = { a: [1, { b: "x".repeat(80) }, []], c: {}, d: null, 'e"': true };
    expect(JSON.parse(pretty(value))).toEqual(value);
  });
});

describe("the journal of a run", () => {
  it("is whole with its head, and says where it was tampered with", async () => {
    const { journal } = await record(setup("refund-7: drop"));
    const verdicts = async (lines: readonly string[], head = journal.head) =>
      Object.fromEntries((await examine(lines, head)).findings.map(({ name, verdict }) => [name, verdict]));
    expect(await verdicts(journal.lines)).toMatchObject({
      integrity: "PASS",
      conformance: "PASS",
      completeness: "PASS",
    });
    // It has ended, and was not in flight when the journal stopped.
    expect((await examine(journal.lines, journal.head)).findings).toContainEqual({
      name: "pairing",
      verdict: "PASS",
      problem: "ended, nobody knows how: refund-7",
    });
    expect(await verdicts(tamper(journal.lines, "delete_last"))).toMatchObject({ completeness: "FAIL" });
    const { findings } = await examine(tamper(journal.lines, "flip_byte"), undefined);
    expect(findings[0]).toMatchObject({
      name: "integrity",
      verdict: "FAIL",
      problem: expect.stringContaining("breaks at #7"),
    });
    expect((await examine(tamper(journal.lines, "delete_last"), undefined)).findings.at(-1)?.verdict).toBe(
      "NOT PROVEN",
    );
  });

  it("S8.2 of a process that died has its open intent, and goes on after the restart", async () => {
    const crash = setup("refund-7: crash", {}, { idempotency: { enabled: true, leaseMs: 400 } });
    const { journal, eoc, naive } = await record(crash);
    const { findings } = await examine(journal.lines, journal.head);
    expect(findings.find(({ name }) => name === "pairing")).toMatchObject({
      verdict: "OPEN",
      problem: expect.stringContaining("in flight when it stopped: refund-7"),
    });
    expect([eoc.report.reason, eoc.effects.length, naive.effects.length]).toEqual(["in_doubt", 1, 2]);
    expect(eoc.marks.map(({ kind }) => kind)).toEqual(["crash", "restart"]);
  });
});

describe("the timeline of a run", () => {
  it("is to scale: nothing ends after the run, and what comes late comes after the report", async () => {
    const { eoc, naive, endMs } = await record(setup("refund-7: slow 8s"));
    expect(endOf(eoc)).toBeLessThanOrEqual(endMs);
    expect(endOf(naive)).toBeLessThanOrEqual(endMs);
    const late = eoc.tracks[0]!.spans.find(({ kind }) => kind === "late");
    expect(late!.fromMs).toBeGreaterThan(eoc.endMs);
    // Naive retry gives up at its limit, whatever still comes.
    const [given, , again] = naive.tracks[0]!.spans.filter(({ kind }) => kind !== "late");
    expect(given).toMatchObject({ fromMs: 0, toMs: 5000, tone: "not_applied" });
    expect(again).toMatchObject({ kind: "attempt", fromMs: 5100, tone: "applied" });
  });

  it("counts attempts from 0, as the report does, and says that naive retry did not hear the halt", async () => {
    const { eoc, naive } = await record({ ...setup("refund-7: 429, 429"), haltAtMs: 55 });
    for (const { tracks } of [eoc, naive]) expect(tracks[0]!.spans[0]!.label).toBe("attempt 0");
    expect(naive.marks).toEqual([{ kind: "halt", atMs: 55, words: "HALT", note: "not heard" }]);
  });

  it("S2.4 is the same up to the moment of a halt", async () => {
    const base = setup("refund-7: 429 retry 1s, ok");
    const [whole, halted] = [await record(base), await record({ ...base, haltAtMs: 500 })];
    const before = ({ eoc }: typeof whole) => eoc.tracks.flatMap(({ spans }) => spans.filter(({ toMs }) => toMs < 500));
    expect(before(halted)).toEqual(before(whole));
    expect(halted.eoc.report).toMatchObject({ reason: "kill_switch", haltLatencyMs: 0 });
    expect(halted.eoc.effects).toEqual([]);
  });
});
