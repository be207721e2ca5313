import { createMemoryRateLimiter, type ExecutionPolicyInput } from "@eoc/core";
import {
  checkInvariants,
  createWorld,
  hangs,
  type InvariantId,
  type Recorded,
  rejects,
  succeeds,
  throws,
} from "@eoc/testkit";
import { describe, expect, it } from "vitest";
import { record } from "./support.js";

const TWO = { action: "ACT" as const, actions: [{ action: "ACT" as const }, { action: "ACT" as const }] };

/** What is left where only reports are kept, as JSON. */
async function reported(setup: Parameters<typeof record>[0]): Promise<Recorded> {
  const { plan, policy, report } = await record(setup);
  return { plan, policy, report: JSON.parse(JSON.stringify(report)) };
}

const busyTwice = () =>
  reported({ decision: TWO, steps: [rejects("busy", { afterMs: 5 }), succeeds(1, { afterMs: 5 })] });
const parallel = () =>
  reported({ decision: TWO, policy: { maxConcurrency: 2 }, steps: [succeeds(1, { afterMs: 50 })] });
const lost = () => reported({ decision: TWO, steps: [throws(new TypeError("x"))] });
const rated = () =>
  reported({
    decision: TWO,
    policy: { rateLimit: { perAction: { ACT: { limit: 1, windowMs: 100 } } } },
    steps: [succeeds(1)],
    options: () => ({ rateLimiter: createMemoryRateLimiter() }),
  });

const policed = (policy: ExecutionPolicyInput) => (run: Recorded) => Object.assign(run, { policy });

interface Case {
  what: string;
  base: () => Promise<Recorded>;
  tamper: (run: Recorded) => unknown;
  finds: [InvariantId, string, RegExp];
}

const CASES: readonly Case[] = [
  {
    what: "a row without an action",
    base: busyTwice,
    tamper: ({ report }) => report.actions.pop(),
    finds: ["INV-EXE-1", "S5.3", /the plan has 2 actions, the report 1 rows/],
  },
  {
    what: "a counter that is off",
    base: busyTwice,
    tamper: ({ report }) => Object.assign(report, { attemptCount: 2 }),
    finds: ["INV-EXE-1", "S10", /attemptCount is 2; rows and attempts make it 3/],
  },
  {
    what: "too many dispatches",
    base: busyTwice,
    tamper: policed({ retry: { maxRetries: 0 } }),
    finds: ["INV-EXE-2", "S3.4", /dispatch 2 of the action; the policy allows 1/],
  },
  {
    what: "attempts that are not numbered one by one",
    base: busyTwice,
    tamper: ({ report }) => Object.assign(report.attempts[1]!, { attemptNumber: 2 }),
    finds: ["INV-EXE-2", "S3.4", /attempt 2 is the dispatch number 1/],
  },
  {
    what: "attempts that overlap",
    base: busyTwice,
    tamper: ({ report }) => Object.assign(report.attempts[0]!, { latencyMs: 106 }),
    finds: ["INV-EXE-2", "S4.3", /attempt 1 started before attempt 0 had ended/],
  },
  {
    what: "a dispatch after success",
    base: busyTwice,
    tamper: ({ report }) => Object.assign(report.attempts[0]!, { status: "success" }),
    finds: ["INV-EXE-2", "S3.1", /dispatched again although attempt 0 had succeeded/],
  },
  {
    what: "a dispatch after the deadline",
    base: busyTwice,
    tamper: policed({ timeout: { maxTotalTimeMs: 105 } }),
    finds: ["INV-EXE-2", "S3.6", /a dispatch started 0 ms after the deadline/],
  },
  {
    what: "more time than there is",
    base: busyTwice,
    tamper: policed({ timeout: { maxTotalTimeMs: 100, abortGraceMs: 10, portTimeoutMs: 4 } }),
    finds: ["INV-EXE-2", "S4.1", /took 115 ms; its bound is 114 ms/],
  },
  {
    what: "more at once than allowed",
    base: parallel,
    tamper: policed({ maxConcurrency: 1 }),
    finds: ["INV-EXE-2", "S4.4", /2 dispatches were in flight; maxConcurrency is 1/],
  },
  {
    what: "an unknown outcome that is called failed",
    base: lost,
    tamper: ({ report }) => Object.assign(report.actions[0]!, { status: "failed" }),
    finds: ["INV-EXE-3", "S3.9", /must say unknown/],
  },
  {
    what: "an exception that is called harmless",
    base: lost,
    tamper: ({ report }) => Object.assign(report, { failClosed: false }),
    finds: ["INV-EXE-3", "S10", /something abnormal happened/],
  },
  {
    what: "an effect that the report denies",
    base: () => reported({ steps: [rejects("no", { retryable: false })] }),
    tamper: (run) => {
      const world = createWorld();
      world.apply("action-0");
      Object.assign(run, { world });
    },
    finds: ["INV-EXE-3", "S3.1", /the row says failed, and its effect happened once/],
  },
  {
    what: "a message",
    base: busyTwice,
    tamper: ({ report }) => Object.assign(report.actions[0]!, { message: "no" }),
    finds: ["INV-EXE-5", "S9.1", /unexpected field/],
  },
  {
    what: "too many starts in a window",
    base: rated,
    tamper: policed({ rateLimit: { perAction: { ACT: { limit: 1, windowMs: 101 } } } }),
    finds: ["INV-EXE-6", "S6.1", /2 dispatches started within 100 ms/],
  },
];

describe("checkInvariants without events", () => {
  it("finds nothing in reports of what went well, badly, or nobody knows how", async () => {
    const hung = () => reported({ decision: TWO, steps: [hangs({ ignoresAbort: true })] });
    for (const base of [busyTwice, parallel, lost, rated, hung]) expect(checkInvariants(await base())).toEqual([]);
  });

  for (const { what, base, tamper, finds } of CASES) {
    const [invariant, clause, message] = finds;
    it(`${clause} finds ${what}`, async () => {
      const run = await base();
      tamper(run);
      const violations = checkInvariants(run);
      expect(violations).toContainEqual(
        expect.objectContaining({ invariant, clause, message: expect.stringMatching(message) }),
      );
    });
  }
});
