import { definePolicy, type ExecutionEvent, execute, planExecution } from "@eoc/core";
import { aContext, aDecision } from "../../builders.js";
import { checkInvariants } from "../../invariants/check-invariants.js";
import { describeViolations } from "../../invariants/violation.js";
import type { Cases } from "../contract-case.js";
import { must, mustEqual } from "../expectations.js";
import {
  anAction,
  dispatch,
  dispatchToTheEnd,
  type ExecutorDesk,
  type ExecutorUnderTest,
  effectsInTheEnd,
  LIMIT_MS,
  type OutsideWorld,
  reconciled,
  THAT,
} from "./executor-desk.js";

/** What the idempotency key does. */
export function dedupeCases(dedupes: boolean): Cases<ExecutorUnderTest> {
  if (dedupes) {
    return {
      "S3.2 a second dispatch under the same key changes nothing, and says what became of the first": async (desk) => {
        const action = anAction(desk, "a", "idempotent");
        mustEqual(await dispatchToTheEnd(desk, action, "one key"), "applied", "outcome of the first dispatch");
        mustEqual(await dispatchToTheEnd(desk, action, "one key"), "applied", "outcome of the second dispatch");
        mustEqual(await effectsInTheEnd(desk, action), 1, "effects under one key");
      },
      "S3.2 a dispatch whose reply was lost is repeated under its key without a second effect": async (desk) => {
        const action = anAction(desk, "a", "idempotent");
        await desk.subject.behave("loses_reply");
        await dispatchToTheEnd(desk, action, "one key");
        await desk.subject.behave("well");
        mustEqual(await dispatchToTheEnd(desk, action, "one key"), "applied", "outcome of the second dispatch");
        mustEqual(await effectsInTheEnd(desk, action), 1, "effects under one key");
      },
      "S7.1 another key is another effect": async (desk) => {
        const action = anAction(desk, "a", "idempotent");
        await dispatchToTheEnd(desk, action, "one key");
        await dispatchToTheEnd(desk, action, "another key");
        mustEqual(await effectsInTheEnd(desk, action), 2, "effects under two keys");
      },
    };
  }
  return {
    "S3.2 (does not `dedupe`) every dispatch is an effect of its own": async (desk) => {
      const action = anAction(desk, "a");
      await dispatchToTheEnd(desk, action, "one key");
      await dispatchToTheEnd(desk, action, "one key");
      mustEqual(await effectsInTheEnd(desk, action), 2, "effects of two dispatches: declare `dedupes: true`");
    },
  };
}

/** What reconcile says. */
export function reconcileCases(reconcile: boolean): Cases<ExecutorUnderTest> {
  if (!reconcile) {
    return {
      "S3.3 (no `reconcile`) the executor does not pretend to have one": ({ subject }) => {
        const { executor } = subject;
        must(
          typeof executor === "function" || executor.reconcile === undefined,
          "the executor has `reconcile`: declare `reconcile: true`",
        );
      },
    };
  }
  /** Dispatches, then asks in a world that is well again. */
  const verdictAfter = async (desk: ExecutorDesk, how: OutsideWorld) => {
    await desk.subject.behave(how);
    const dispatched = dispatch(desk, anAction(desk, how));
    await Promise.race([dispatched.outcome, desk.clock.sleep(LIMIT_MS)]);
    dispatched.abort();
    await desk.subject.behave("well");
    const verdict = await reconciled(desk, dispatched);
    return { verdict, count: await effectsInTheEnd(desk, dispatched.action) };
  };
  return {
    "S3.3 reconcile finds what was applied": async (desk) => {
      for (const how of ["well", "loses_reply"] as const) {
        const { verdict } = await verdictAfter(desk, how);
        mustEqual(verdict, "applied", `verdict on a dispatch in a world that ${THAT[how]}`);
      }
    },
    "S3.3 reconcile never finds what was not applied": async (desk) => {
      for (const how of ["refuses", "is_unreachable"] as const) {
        const { verdict } = await verdictAfter(desk, how);
        must(verdict !== "applied", `verdict "applied" on a dispatch in a world that ${THAT[how]}`);
      }
    },
    "S3.3 reconcile never says `not_applied` of what is still on its way": async (desk) => {
      const { verdict, count } = await verdictAfter(desk, "is_slow");
      must(
        verdict !== "not_applied" || count === 0,
        "reconcile said `not_applied`, and then it was applied: say `unknown`",
      );
    },
    "S3.3 reconcile that reaches nobody knows nothing": async (desk) => {
      await desk.subject.behave("loses_reply");
      const dispatched = dispatch(desk, anAction(desk, "a"));
      await Promise.race([dispatched.outcome, desk.clock.sleep(LIMIT_MS)]);
      dispatched.abort();
      await desk.subject.behave("is_unreachable");
      const verdict = await Promise.race([
        reconciled(desk, dispatched),
        desk.clock.sleep(LIMIT_MS).then(() => "unknown" as const),
      ]);
      mustEqual(verdict, "unknown", "verdict of a reconcile that reaches nobody");
    },
  };
}

/** Everything together, as it will be used. */
export const EXECUTE_CASES: Cases<ExecutorUnderTest> = {
  "S3 under `execute`, whatever the outside world does, the report says what is so": async (desk) => {
    for (const how of ["well", "refuses", "loses_reply", "is_slow", "is_unreachable"] as const) {
      await desk.subject.behave(how);
      const sample = anAction(desk, how);
      const decision = aDecision({
        actions: [
          {
            id: how,
            idempotency_key: `key of ${how}`,
            action: sample.action,
            params: sample.params as Record<string, unknown>,
          },
        ],
      });
      const policy = definePolicy({ retry: { maxRetries: 2 }, idempotency: { enabled: false } });
      const events: ExecutionEvent[] = [];
      const report = await execute(decision, aContext(), policy, desk.subject.executor, {
        clock: desk.clock,
        onEvent: (event) => events.push(event),
      });
      const count = await effectsInTheEnd(desk, sample);
      const effects = Array.from({ length: count }, () => ({ actionId: how }));
      const violations = checkInvariants({
        plan: planExecution(decision, policy),
        policy,
        events,
        report,
        world: { effects },
      });
      must(violations.length === 0, `in a world that ${THAT[how]}:\n${describeViolations(violations)}`);
    }
  },
};
