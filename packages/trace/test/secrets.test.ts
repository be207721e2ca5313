import { inspect } from "node:util";
import {
  createRedactor,
  type ExecutionEvent,
  type ExecutionPolicyInput,
  type ExecutorResult,
  execute,
  type FinalDecisionInput,
  type Redactor,
} from "@eoc/core";
import { createVirtualClock } from "@eoc/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addExecutionTrace,
  buildPacketWithManifest,
  createJsonlJournal,
  explainReport,
  renderTimeline,
  reportToDict,
  verifyJournal,
} from "../src/index.js";

/*
 * Nothing that was given as a secret, and nothing that the executor knows, is in anything that this package writes. Every secret is
 * drawn at random and looked for as text, so that no rule can pass by accident.
 */

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: length, maxLength: length });
const word = (length: number) =>
  fc.string({
    unit: fc.constantFrom(..."ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789"),
    minLength: length,
    maxLength: length,
  });

/** Secrets that are known by their shape, wherever they stand. */
const shaped = fc.oneof(
  word(36).map((part) => `ghp_${part}`),
  word(43).map((part) => `Bearer ${part}`),
  fc.tuple(word(20), word(40), word(43)).map(([head, body, tail]) => `eyJ${head}.eyJ${body}.${tail}`),
  fc.tuple(word(8), word(24)).map(([user, password]) => `postgres://${user}:${password}@db.example/orders`),
  word(16).map((part) => `AKIA${part.toUpperCase().replace(/[^A-Z2-7]/g, "A")}`),
  word(64).map((part) => `-----BEGIN PRIVATE KEY-----\n${part}\n-----END PRIVATE KEY-----`),
);

/** Names whose values are secret whatever they look like. */
const names = fc.constantFrom(
  "password",
  "api_key",
  "clientSecret",
  "X-Auth-Token",
  "private_key",
  "passwords",
  "session_token",
);

/** What of a secret must not be found. A connection string keeps its host and its scheme. */
const partsOf = (secret: string): string[] => {
  const password = /^postgres:\/\/[^:]+:([^@]+)@/.exec(secret)?.[1];
  const body = /KEY-----\n(.*)\n/.exec(secret)?.[1];
  return [password ?? body ?? secret.replace(/^Bearer /, "")];
};

interface Given {
  redactor: Redactor;
  journalRedactor: Redactor;
  /** A tree that holds the secrets, to be put everywhere. */
  tree: Record<string, unknown>;
  secrets: string[];
}

/** Runs one execution that fails in every way, and gives all that is written of it. */
async function writtenOf({ redactor, journalRedactor, tree, secrets }: Given): Promise<Record<string, string>> {
  const clock = createVirtualClock();
  const lines: string[] = [];
  const events: ExecutionEvent[] = [];
  const policy: ExecutionPolicyInput = { onFailure: "continue", retry: { maxRetries: 1, initialBackoffMs: 5 } };
  const decision: FinalDecisionInput = {
    action: "ACT",
    reasons: ["ok"],
    params: tree,
    actions: (["once", "idempotent", "none", "once", "once"] as const).map((effect) => ({
      action: "ACT",
      effect,
      params: tree,
    })),
  };
  const context = { now_ms: 1, ...tree };
  const journal = createJsonlJournal(
    { append: (line) => void lines.push(line) },
    { redactor: journalRedactor, policy, versions: { service: "1", ...(tree as Record<string, string>) } },
  );
  const text = secrets.join(" ");
  const cause = Object.assign(new Error(text), { headers: tree });
  const answers: (() => unknown)[] = [
    () => ({ ok: true, value: { ...tree, text } }),
    () => {
      throw Object.assign(new Error(text, { cause }), { code: text, name: text });
    },
    () => text,
    () => ({ ok: false, code: text, message: text }),
    () => Promise.reject(text),
  ];
  const report = await clock.run(() =>
    execute(decision, context, policy, ({ index }) => answers[index]!() as ExecutorResult, {
      clock,
      executionId: "run-1",
      journal: journal.forExecution(decision, policy),
      onEvent: (event) => events.push(event),
    }),
  );
  expect(report.actions.map(({ status }) => status)).toEqual(["success", "unknown", "failed", "failed", "unknown"]);
  expect((await verifyJournal(lines, { head: journal.head(), policy })).ok).toBe(true);

  const written: Record<string, string> = {
    journal: lines.join(""),
    explained: explainReport(report),
    inspected: inspect(report, { depth: 9 }),
    reported: JSON.stringify(report),
  };
  for (const profile of ["reference", "extended"] as const) {
    written[`dict, ${profile}`] = JSON.stringify(reportToDict(report, { profile }));
    written[`trace, ${profile}`] = JSON.stringify(addExecutionTrace({}, report, { profile }));
    const proposal = { action: "ACT" as const, confidence: 1, reasons: ["ok"], params: tree, features_summary: tree };
    const mismatch = { flags: [], reason_codes: [], metadata: tree };
    const input = {
      runId: "run-1",
      step: 1,
      input: { before: tree, list: [[tree]] },
      context,
      report,
      profile,
      redactor,
    };
    const { packet, manifest } = buildPacketWithManifest({ ...input, proposal, decision: { ...decision, mismatch } });
    written[`packet, ${profile}`] = JSON.stringify(packet);
    written[`manifest, ${profile}`] = JSON.stringify(manifest);
    expect(manifest.length).toBeGreaterThan(0);
  }
  for (const format of ["text", "ansi", "mermaid", "svg"] as const) {
    written[`timeline of events, ${format}`] = renderTimeline(events, { format });
    written[`timeline of report, ${format}`] = renderTimeline(report, { format });
  }
  return written;
}

async function expectHidden(given: Given): Promise<void> {
  for (const [name, text] of Object.entries(await writtenOf(given))) {
    for (const part of given.secrets.flatMap(partsOf)) expect([name, text.includes(part)]).toEqual([name, false]);
  }
}

const plain = createRedactor();
const plainJournal = createRedactor({ allowKeys: ["idempotencyKey"] });

describe("S9 secrets", { timeout: 60_000 }, () => {
  it("that stand under a secret's name are in nothing that is written", async () => {
    await fc.assert(
      fc.asyncProperty(names, word(12), names, word(12), async (name, one, other, two) => {
        const tree = { [name]: one, nested: { [other]: [two, { deep: two }] } };
        await expectHidden({ redactor: plain, journalRedactor: plainJournal, tree, secrets: [one, two] });
      }),
      { numRuns: 30 },
    );
  });

  it("that have a secret's shape are in nothing that is written, wherever they stand", async () => {
    await fc.assert(
      fc.asyncProperty(shaped, shaped, async (one, two) => {
        const tree = { note: `see ${one} for it`, list: [two, [two]], nested: { [`of ${one}`]: "x" } };
        await expectHidden({ redactor: plain, journalRedactor: plainJournal, tree, secrets: [one, two] });
      }),
      { numRuns: 30 },
    );
  });

  it("that were declared are in nothing that is written, whatever they look like and wherever they stand", async () => {
    const any = fc.oneof(
      hex(32),
      word(8),
      fc.string({ unit: "grapheme-ascii", minLength: 6, maxLength: 20 }).map((text) => `q${text}z`),
    );
    await fc.assert(
      fc.asyncProperty(any, any, async (one, two) => {
        const secrets = [one, two];
        const tree = { note: `${one}-${two}`, [`key ${two}`]: [{ deep: one }], [one]: 1 };
        await expectHidden({
          redactor: createRedactor({ secrets }),
          journalRedactor: createRedactor({ secrets, allowKeys: ["idempotencyKey"] }),
          tree,
          secrets,
        });
      }),
      { numRuns: 30 },
    );
  });

  it("in inputs that are refused are not in what says why", async () => {
    await fc.assert(
      fc.asyncProperty(word(20), fc.nat(5), async (secret, which) => {
        const valid = { action: "ACT" };
        const inputs = [
          [{ action: secret }, {}, {}],
          [{ action: "ACT", params: secret }, {}, {}],
          [{ action: "ACT", actions: [{ action: "ACT", params: [secret], effect: secret }] }, {}, {}],
          [valid, secret, {}],
          [valid, {}, { retry: { maxRetries: secret }, onFailure: secret }],
          [valid, { now_ms: secret, ops_cooldown_until_ms: secret }, {}],
        ] as const;
        const [decision, context, policy] = inputs[which]!;
        const lines: string[] = [];
        const journal = createJsonlJournal({ append: (line) => void lines.push(line) });
        const report = await execute(decision as never, context as never, policy as never, () => ({ ok: true }), {
          journal,
        });
        expect(report).toMatchObject({ status: "denied", attemptCount: 0 });
        expect(lines.length).toBeGreaterThan(1);
        const written = [
          lines.join(),
          explainReport(report),
          renderTimeline(report),
          JSON.stringify(reportToDict(report)),
        ];
        for (const text of written) expect(text).not.toContain(secret);
      }),
      { numRuns: 60 },
    );
  });
});
