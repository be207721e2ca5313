import { definePolicy, type ExecutionEvent, execute, planExecution } from "@eoc/core";
import { ExecutionContextSchema, FinalDecisionSchema } from "@eoc/decision-schema";
import { checkInvariants, createScriptedExecutor, createVirtualClock, createWorld, faulty } from "@eoc/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as arbitraries from "../src/fast-check.js";

const { anyContext, anyDecision, anyFault, anyPolicy, anyScript, anyStep } = arbitraries;

it("exports exactly what is documented", () => {
  expect(Object.keys(arbitraries).sort()).toEqual([
    "anyContext",
    "anyDecision",
    "anyFault",
    "anyPolicy",
    "anyScript",
    "anyStep",
  ]);
});

describe("the arbitraries", () => {
  it("give valid decisions, policies and contexts", () => {
    fc.assert(
      fc.property(anyDecision(), anyPolicy({ needsPorts: true }), anyContext(), (decision, policy, context) => {
        const parsed = FinalDecisionSchema.parse(decision);
        expect(ExecutionContextSchema.safeParse(context).success).toBe(true);
        expect(planExecution(parsed, definePolicy(policy)).planHash).toMatch(/^[0-9a-f]{64}$/);
      }),
    );
  });

  it("give what the constraints allow only", () => {
    fc.assert(
      fc.property(
        anyDecision({ maxActions: 2, effects: ["once"] }),
        anyPolicy(),
        anyContext({ mayDeny: false }),
        anyScript({ maxSteps: 3, maxAfterMs: 10 }),
        (decision, policy, context, script) => {
          expect(decision.actions?.length ?? 0).toBeLessThanOrEqual(2);
          expect(decision.actions?.every(({ effect }) => effect === "once") ?? true).toBe(true);
          expect(policy).not.toHaveProperty("rateLimit");
          expect(policy).not.toHaveProperty("idempotency");
          expect(["RED", true]).not.toContain(context["ops_state"] ?? context["ops_deny_actions"]);
          expect(script.length).toBeLessThanOrEqual(3);
          for (const { afterMs } of script) expect(afterMs <= 40 || afterMs === Number.POSITIVE_INFINITY).toBe(true);
        },
      ),
    );
  });

  it("reach every kind of trouble", () => {
    const kinds = new Set(fc.sample(anyStep(), 500).map(({ text }) => text.replace(/\(.*/, "")));
    expect([...kinds].sort()).toEqual(["hangs", "rejects", "returns", "succeeds", "succeedsLate", "throws"]);
    const faults = new Set(
      fc.sample(anyFault(), 500).map((fault) => (typeof fault === "string" ? fault : Object.keys(fault).join())),
    );
    expect([...faults].sort()).toEqual([
      "garbage",
      "hangs",
      "loses_reply",
      "never_replies",
      "passes",
      "rejects",
      "replyMs",
      "requestMs",
      "throws",
    ]);
    expect(fc.sample(anyContext(), 200).some(({ ops_deny_actions }) => ops_deny_actions === true)).toBe(true);
  });

  it("print scripts as they are written", () => {
    const script = fc.sample(anyScript(), { numRuns: 1, seed: 1 })[0]!;
    expect(fc.stringify(script)).toBe(`[${script.map(({ text }) => text).join(",")}]`);
  });
});

it("execute keeps every promise, whatever it is given", { timeout: 600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      anyDecision(),
      anyContext(),
      anyPolicy(),
      anyScript(),
      fc.array(anyFault(), { maxLength: 5 }),
      async (decision, context, policy, script, faults) => {
        const clock = createVirtualClock();
        const world = createWorld();
        const executor = createScriptedExecutor(script, { clock, world });
        const journal = faulty({ append: () => {} }, { append: faults }, { clock });
        const events: ExecutionEvent[] = [];
        const report = await clock.run(() =>
          execute(decision, context, policy, executor, { clock, journal, onEvent: (event) => events.push(event) }),
        );
        await clock.runUntilIdle();
        const plan = planExecution(decision, definePolicy(policy));
        expect(checkInvariants({ plan, policy, events, report, world })).toEqual([]);
      },
    ),
    // The same runs every time; `EOC_DEEP=1` asks for many more, and for others each time.
    process.env["EOC_DEEP"] === "1" ? { numRuns: 20_000 } : { numRuns: 300, seed: 1 },
  );
});
