import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type * as z from "zod";
import { ACTION_KEYS, CONTEXT_KEYS, DECISION_KEYS, MISMATCH_KEYS } from "../src/contract-values.ts";
import {
  ActionItemSchema,
  ExecutionContextSchema,
  FinalDecisionSchema,
  type Issue,
  MismatchInfoSchema,
  type ReadResult,
  readContext,
  readDecision,
  toIssues,
} from "../src/index.ts";
import { readVectors } from "./vectors.ts";

const RUNS = 4000;

const text = fc.oneof(
  fc.constantFrom(
    "",
    "a",
    "HOLD",
    "ACT",
    "once",
    "none",
    "x".repeat(257),
    "\u{1f600}".repeat(256),
    "\ud800".repeat(257),
  ),
  fc.string(),
  fc.string({ unit: "binary" }),
);
const number = fc.oneof(
  fc.constantFrom(0, -0, -1, 1.5, -1.5, 2 ** 53, -(2 ** 53), Number.NaN, Number.POSITIVE_INFINITY),
  fc.nat(),
);
const scalar = fc.oneof(
  text,
  number,
  fc.boolean(),
  fc.constantFrom(null, undefined, 1n, Symbol("s"), () => 0),
);
const thrower = Object.defineProperty({}, "a", {
  enumerable: true,
  get: () => {
    throw new Error("hunter2");
  },
});
const key = fc.oneof(fc.constantFrom("a", "b", "__proto__", "\ud800", "toJSON"), fc.string());
const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    scalar,
    fc.array(tie("json"), { maxLength: 3 }),
    fc.dictionary(key, tie("json"), { maxKeys: 3 }),
    fc.constantFrom(
      new Date(0),
      new Map(),
      Object.create(null),
      Object.create({ inherited: 1 }),
      Object.create(Object.create(null)),
      runInNewContext("({ a: [{ b: 1 }] })"),
      runInNewContext("['a', 'b']"),
      // Holes, and what has a length without being a text.
      Object.assign(new Array(2), { 1: "a" }),
      { length: Number.NaN },
      new (class extends Array {})(300),
      new Proxy({ a: 1 }, {}),
      thrower,
    ),
  ),
}));

/** Mostly what belongs there, and now and then anything. */
const mostly = (...good: readonly unknown[]) =>
  fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...good) }, { weight: 1, arbitrary: json });
const record = (fields: Record<string, fc.Arbitrary<unknown>>) =>
  fc
    .tuple(fc.record(fields, { requiredKeys: [] }), fc.oneof(fc.constant({}), fc.dictionary(key, json, { maxKeys: 2 })))
    .map(([known, unknown]) => ({ ...unknown, ...known }))
    .chain((object) => fc.oneof({ weight: 8, arbitrary: fc.constant(object) }, unusual(object)));

/** The same members, in an object that one would not write. */
const unusual = (object: object): fc.Arbitrary<object> =>
  fc.constantFrom(
    withMembersOf(object, Object.create(null)),
    Object.create(object),
    withMembersOf(object, new (class Decision {})()),
    withMembersOf(object, Object.create({ inherited: [1], params: { inherited: true } })),
    new (class Decision {
      readonly #own: object = object;
      get params() {
        return (this.#own as { params?: unknown }).params;
      }
      get action() {
        return (this.#own as { action?: unknown }).action;
      }
    })(),
    hidden(object),
    new Proxy(object, {}),
    withMembersOf(object, ofAnotherRealm()),
    withMembersOf(object, () => 0),
    [object],
    { ...object, [Symbol("s")]: { mutable: true } },
    JSON.parse('{"__proto__": {"action": "EXIT"}}', (_, value) => value && { ...object, ...value }),
  );

const ofAnotherRealm = runInNewContext("() => ({})") as () => object;

function withMembersOf(object: object, target: object): object {
  return Object.defineProperties(target, Object.getOwnPropertyDescriptors(object));
}

/** Nothing of it is enumerable. */
function hidden(object: object): object {
  const descriptors = Object.getOwnPropertyDescriptors(object) as Record<string, PropertyDescriptor>;
  for (const descriptor of Object.values(descriptors)) descriptor.enumerable = false;
  return Object.defineProperties({}, descriptors);
}
const params = fc.oneof(
  fc.dictionary(key, json, { maxKeys: 3 }),
  mostly({}, null, undefined, { n: [1, { deep: "x" }] }),
);
const action = mostly("ACT", "HOLD", "EXIT", "CANCEL", "STOP");
const duration = mostly(0, 5, null, undefined);
const texts = mostly([], ["a"], null, undefined, ["a", "b"]);
const decision = record({
  action,
  allowed: mostly(true, false, undefined),
  reasons: texts,
  actions: fc.oneof(
    mostly(undefined, null, []),
    fc.array(
      record({
        action,
        id: mostly("a", "b", "c", null, undefined),
        params,
        effect: mostly("once", "idempotent", "none", null),
        idempotency_key: mostly("k", null, undefined),
      }),
      { maxLength: 3 },
    ),
  ),
  mismatch: fc.oneof(
    mostly(undefined, null),
    record({ flags: texts, reason_codes: texts, throttle_refresh_ms: duration, metadata: params }),
  ),
  throttle_ms: duration,
  cooldown_ms: duration,
  params,
});
const context = record({ now_ms: mostly(5, null), ops_cooldown_until_ms: mostly(7, undefined), session_id: json });

/** Whether all of it is frozen, down to the leaves. */
function isDeepFrozen(value: unknown): boolean {
  return (
    typeof value !== "object" || value === null || (Object.isFrozen(value) && Object.values(value).every(isDeepFrozen))
  );
}

/** What a reader keeps of what a schema hands on: a copy of the own members, symbols left out. */
function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return Array.from(value, copyOf);
  if (typeof value !== "object" || value === null) return value;
  const copy = {};
  for (const [name, member] of Object.entries(value))
    Object.defineProperty(copy, name, { value: copyOf(member), enumerable: true, configurable: true, writable: true });
  return copy;
}

function agrees(
  schema: z.ZodType,
  read: (value: unknown) => ReadResult<unknown>,
  value: unknown,
): "taken" | "refused" | "thrown" {
  const taken = read(value);
  if (!taken.success) expect(taken.issues.length).toBeGreaterThan(0);
  let judged: z.ZodSafeParseResult<unknown>;
  let issues: Issue[] = [];
  try {
    judged = schema.safeParse(value);
    if (judged.error) issues = toIssues(judged.error, value);
  } catch {
    // zod hands on what a getter throws.
    expect(taken).toMatchObject({ success: false });
    expect(JSON.stringify(taken)).not.toContain("hunter2");
    return "thrown";
  }
  if (!judged.success) {
    expect(taken).toEqual({ success: false, issues });
    return "refused";
  }
  expect(taken).toStrictEqual({ success: true, data: copyOf(judged.data) });
  expect(isDeepFrozen((taken as { data: unknown }).data)).toBe(true);
  return "taken";
}

describe("readDecision and readContext", () => {
  for (const [name, schema, read, arbitrary] of [
    ["decision", FinalDecisionSchema, readDecision, fc.oneof({ weight: 9, arbitrary: decision }, json)],
    ["context", ExecutionContextSchema, readContext, fc.oneof({ weight: 9, arbitrary: context }, json)],
  ] as const) {
    it(`take what the schema takes of a ${name}, copied and frozen, and say of everything else what it says`, {
      timeout: 60_000,
    }, () => {
      const seen = { taken: 0, refused: 0, thrown: 0 };
      fc.assert(
        fc.property(arbitrary, (value) => {
          seen[agrees(schema, read, value)]++;
        }),
        { numRuns: RUNS, seed: 11 },
      );
      expect(Math.min(seen.taken, seen.refused)).toBeGreaterThan(RUNS / 10);
    });
  }

  it("agree with the schema wherever a revoked proxy, a thrower or something with a length is put", () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const outcomes: Record<string, number> = {};
    for (const bad of [proxy, thrower, { length: 0 }, { length: Number.NaN }, new Array(300), () => 0]) {
      for (const name of DECISION_KEYS) {
        const value = { ...(name === "action" ? {} : { action: "ACT" }), [name]: bad };
        outcomes[agrees(FinalDecisionSchema, readDecision, value)] ??= 0;
      }
      for (const name of ACTION_KEYS)
        agrees(FinalDecisionSchema, readDecision, { action: "ACT", actions: [{ action: "ACT", [name]: bad }, bad] });
      for (const name of MISMATCH_KEYS)
        agrees(FinalDecisionSchema, readDecision, { action: "ACT", mismatch: { [name]: bad } });
      for (const name of CONTEXT_KEYS) agrees(ExecutionContextSchema, readContext, { [name]: bad, other: bad });
      agrees(FinalDecisionSchema, readDecision, { action: "ACT", other: bad });
      agrees(FinalDecisionSchema, readDecision, bad);
    }
    expect(Object.keys(outcomes).sort()).toEqual(["refused", "taken", "thrown"]);
  });

  it("agree with the schema on how long an id may be, and on what it may be made of", () => {
    const face = "\u{1f600}";
    const outcomes = [
      "",
      "a",
      "a".repeat(256),
      "a".repeat(257),
      face.repeat(256),
      face.repeat(257),
      "\ud800".repeat(257),
    ]
      .flatMap((id) => [{ id }, { idempotency_key: id }])
      .map((item) =>
        agrees(FinalDecisionSchema, readDecision, { action: "ACT", actions: [{ action: "ACT", ...item }] }),
      );
    expect(outcomes.filter((outcome) => outcome === "taken")).toHaveLength(6);
  });

  it("agree with the schema on which 50 issues are told", () => {
    const wrong = { action: "BUY", id: "", params: [], effect: 1, idempotency_key: "\ud800", other: Number.NaN };
    for (const length of [8, 9, 20]) {
      const value = {
        action: "ACT",
        reasons: new Array(length).fill(1),
        actions: new Array(length).fill(wrong),
        params: 1,
      };
      expect(agrees(FinalDecisionSchema, readDecision, value)).toBe("refused");
      expect(agrees(FinalDecisionSchema, readDecision, { ...value, actions: [{ ...wrong, other: undefined }] })).toBe(
        "refused",
      );
    }
  });

  it("agree with the schema on ids that are there twice, in few and in many actions", () => {
    for (const length of [2, 8, 9, 60]) {
      const actions = Array.from({ length }, (_, n) => ({ action: "ACT", id: `id-${n}` }));
      expect(agrees(FinalDecisionSchema, readDecision, { action: "ACT", actions })).toBe("taken");
      const repeated = [...actions, { action: "ACT", id: "id-0" }, { action: "ACT" }, { action: "ACT", id: "id-1" }];
      expect(agrees(FinalDecisionSchema, readDecision, { action: "ACT", actions: repeated })).toBe("refused");
      const same = actions.map((action) => ({ ...action, id: "same" }));
      expect(agrees(FinalDecisionSchema, readDecision, { action: "ACT", actions: same })).toBe("refused");
      const alsoWrong = [...same, { action: "ACT", id: "x".repeat(257) }];
      expect(agrees(FinalDecisionSchema, readDecision, { action: "ACT", actions: alsoWrong })).toBe("refused");
    }
  });

  it("agree with the schema on ids that another action has by default", () => {
    const read = (...ids: unknown[]) =>
      agrees(FinalDecisionSchema, readDecision, { action: "ACT", actions: ids.map((id) => ({ action: "ACT", id })) });
    for (const more of [[], Array.from({ length: 20 }, (_, n) => `id-${n}`)]) {
      expect(read("action-1", undefined, ...more)).toBe("refused");
      expect(read(null, "action-0", ...more)).toBe("refused");
      expect(read(undefined, "action-1", ...more)).toBe("taken");
      expect(read("action-1", "action-0", ...more)).toBe("taken");
      for (const other of ["action-99", "action-01", "action-1 ", "Action-1", "action-", "action-1e0"])
        expect(read(other, undefined, ...more)).toBe("taken");
    }
  });

  it("name the keys that the schemas name", () => {
    const named = [
      [FinalDecisionSchema, DECISION_KEYS],
      [ActionItemSchema, ACTION_KEYS],
      [MismatchInfoSchema, MISMATCH_KEYS],
      [ExecutionContextSchema, CONTEXT_KEYS],
    ] as const;
    for (const [{ shape }, keys] of named) expect([...keys]).toEqual(Object.keys(shape));
  });

  it("agree with the schema on the reference's decisions", () => {
    const { section } = readVectors(new URL("./vectors/types.json", import.meta.url));
    const inputs = ["cases", "upstream_gaps", "python_quirks"].flatMap(section).map(({ input }) => input["fields"]);
    for (const input of inputs) agrees(FinalDecisionSchema, readDecision, input);
    expect(inputs.length).toBeGreaterThan(50);
  });

  it.each([
    [
      "a getter that throws",
      Object.defineProperty({ action: "ACT" }, "params", {
        enumerable: true,
        get: () => {
          throw new Error("hunter2");
        },
      }),
    ],
    [
      "a proxy that throws",
      new Proxy(
        { action: "ACT" },
        {
          ownKeys: () => {
            throw new Error("hunter2");
          },
        },
      ),
    ],
    [
      "a revoked proxy",
      (() => {
        const { proxy, revoke } = Proxy.revocable({}, {});
        revoke();
        return proxy;
      })(),
    ],
    [
      "a cycle",
      (() => {
        const loop: Record<string, unknown> = { action: "ACT" };
        loop["params"] = { loop };
        return loop;
      })(),
    ],
    ["a list with a huge gap", { action: "ACT", actions: new Array(2 ** 32 - 1) }],
    ["a list in params with a huge gap", { action: "ACT", params: { list: new Array(2 ** 31) } }],
  ])("refuse %s, and say where they can", (_, value) => {
    for (const read of [readDecision(value), readContext(value)]) {
      expect(read).toMatchObject({ success: false });
      const issues = read.success ? [] : read.issues;
      expect(issues.length).toBeGreaterThan(0);
      expect(issues.length).toBeLessThanOrEqual(50);
      expect(JSON.stringify(issues)).not.toContain("hunter2");
    }
  });

  it("read every member once, so that what was judged is what is kept", () => {
    let reads = 0;
    const twoFaced = Object.defineProperty({ action: "ACT" }, "params", {
      enumerable: true,
      get: () => ({ cents: reads++ === 0 ? 1 : 1_000_000 }),
    });
    expect(readDecision(twoFaced)).toMatchObject({ data: { params: { cents: 1 } } });
    expect(reads).toBe(1);
  });

  it("stand by a refusal, whatever is found when the place is looked for", () => {
    let reads = 0;
    const params = Object.defineProperty({}, "cents", {
      enumerable: true,
      get: () => (reads++ === 0 ? Number.NaN : 1),
    });
    expect(readDecision({ action: "ACT", params })).toEqual({
      success: false,
      issues: [{ path: "params", expected: "a value that can be read", received: "object" }],
    });
  });

  it("keep nothing of the caller's: later changes do not show", () => {
    const given = { action: "ACT" as const, params: { list: [{ n: 1 }] }, note: { deep: ["x"] } };
    const taken = readDecision(given);
    given.params.list[0]!.n = 2;
    given.note.deep.push("y");
    expect(taken).toEqual({
      success: true,
      data: { action: "ACT", allowed: true, reasons: [], params: { list: [{ n: 1 }] }, note: { deep: ["x"] } },
    });
  });

  it("is not disturbed by what is read while it reads", () => {
    const decision = {
      action: "ACT",
      get reasons() {
        return readDecision({ action: "FLY" }).success ? [] : ["another was refused"];
      },
    };
    expect(readDecision(decision)).toMatchObject({ success: true, data: { reasons: ["another was refused"] } });
  });
});
