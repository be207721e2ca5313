import type { Cases } from "../contract-case.js";
import { must, mustEqual } from "../expectations.js";
import {
  anAction,
  dispatch,
  dispatchToTheEnd,
  type ExecutorUnderTest,
  effectsInTheEnd,
  GRACE_MS,
  LIMIT_MS,
  type OutsideWorld,
  SLOW_MS,
  THAT,
} from "./executor-desk.js";

const WORLDS: readonly OutsideWorld[] = ["well", "refuses", "loses_reply", "is_slow", "is_unreachable"];

/** What an executor says, and what is so. */
export const OUTCOME_CASES: Cases<ExecutorUnderTest> = {
  "S3.1 what is applied and answered is `ok: true`, and happened once": async (desk) => {
    const action = anAction(desk, "a");
    mustEqual(await dispatchToTheEnd(desk, action), "applied", "outcome in a world that is well");
    mustEqual(await effectsInTheEnd(desk, action), 1, "effects");
  },
  "S3.1 what is refused is `ok: false` (or a NotAppliedError) with a code, and did not happen": async (desk) => {
    await desk.subject.behave("refuses");
    const action = anAction(desk, "a");
    mustEqual(await dispatchToTheEnd(desk, action), "not_applied", "outcome in a world that refuses");
    mustEqual(await effectsInTheEnd(desk, action), 0, "effects");
  },
  "S3.1 what was applied without an answer is never `ok: false`": async (desk) => {
    await desk.subject.behave("loses_reply");
    const action = anAction(desk, "a");
    const outcome = await dispatchToTheEnd(desk, action);
    mustEqual(await effectsInTheEnd(desk, action), 1, "effects of a dispatch whose reply was lost");
    must(
      outcome !== "not_applied",
      "the executor said that nothing was applied, but its reply was lost: it must throw",
    );
  },
  "S3.1 what never arrived is never `ok: true`": async (desk) => {
    await desk.subject.behave("is_unreachable");
    const action = anAction(desk, "a");
    const outcome = await dispatchToTheEnd(desk, action);
    mustEqual(await effectsInTheEnd(desk, action), 0, "effects in a world that is unreachable");
    must(outcome !== "applied", "the executor said that it was applied, but nothing arrived");
  },
  "S3.4 one dispatch applies its effect once at most, whatever goes wrong: retries are not the executor's": async (
    desk,
  ) => {
    for (const how of WORLDS) {
      await desk.subject.behave(how);
      const action = anAction(desk, how);
      await dispatchToTheEnd(desk, action);
      const count = await effectsInTheEnd(desk, action);
      must(count <= 1, `one dispatch in a world that ${THAT[how]} applied its effect ${count} times`);
    }
  },
  "S3.1 after trouble it does its work again": async (desk) => {
    for (const how of WORLDS) {
      await desk.subject.behave(how);
      await dispatchToTheEnd(desk, anAction(desk, how));
      await desk.subject.behave("well");
      const action = anAction(desk, `after ${how}`);
      mustEqual(await dispatchToTheEnd(desk, action), "applied", `outcome after ${how}`);
      mustEqual(await effectsInTheEnd(desk, action), 1, `effects after ${how}`);
    }
  },
  "S4.2 what is aborted in flight is never `ok: false` and applied all the same": async (desk) => {
    await desk.subject.behave("is_slow");
    const action = anAction(desk, "a");
    const outcome = await dispatchToTheEnd(desk, action);
    const count = await effectsInTheEnd(desk, action);
    must(outcome !== "not_applied" || count === 0, "an aborted dispatch said that nothing was applied, and it was");
    must(outcome !== "applied" || count === 1, "an aborted dispatch said that it was applied, and it was not");
  },
  "S4.2 what is aborted before it begins is never `ok: false` and applied all the same": async (desk) => {
    const dispatched = dispatchAborted(desk);
    const outcome = await Promise.race([dispatched.outcome, desk.clock.sleep(LIMIT_MS).then(() => "unknown" as const)]);
    const count = await effectsInTheEnd(desk, dispatched.action);
    must(
      outcome !== "not_applied" || count === 0,
      "a dispatch aborted in advance said that nothing was applied, and it was",
    );
    must(
      outcome !== "applied" || count === 1,
      "a dispatch aborted in advance said that it was applied, and it was not",
    );
  },
  "S4.6 dispatches at the same time do not disturb one another, aborted or not": async (desk) => {
    await desk.subject.behave("is_slow");
    const dispatches = ["a", "b", "c"].map((id) => dispatch(desk, anAction(desk, id)));
    await desk.clock.sleep(LIMIT_MS);
    dispatches[1]!.abort();
    for (const { action, outcome } of [dispatches[0]!, dispatches[2]!]) {
      const late = desk.clock.sleep(2 * SLOW_MS).then(() => "silent");
      mustEqual(await Promise.race([outcome, late]), "applied", `outcome of "${action.id}", when another was aborted`);
      mustEqual(await effectsInTheEnd(desk, action), 1, `effects of "${action.id}"`);
    }
  },
};

function dispatchAborted(desk: Parameters<typeof dispatch>[0]): ReturnType<typeof dispatch> {
  const controller = new AbortController();
  controller.abort(new Error("aborted by the contract"));
  return dispatch(desk, anAction(desk, "a"), undefined, controller);
}

/** What a dispatch does when its signal is aborted. */
export function abortCases(abort: boolean): Cases<ExecutorUnderTest> {
  if (abort) {
    return {
      "S4.2 an aborted dispatch settles within the grace": async (desk) => {
        for (const how of ["is_slow", "loses_reply"] as const) {
          await desk.subject.behave(how);
          const dispatched = dispatch(desk, anAction(desk, how));
          const early = desk.clock.sleep(LIMIT_MS).then(() => "in flight");
          if ((await Promise.race([dispatched.outcome, early])) !== "in flight") continue;
          dispatched.abort();
          const late = desk.clock.sleep(GRACE_MS).then(() => "silent");
          const outcome = await Promise.race([dispatched.outcome, late]);
          must(
            outcome !== "silent",
            `a dispatch in a world that ${THAT[how]} had not settled ${GRACE_MS} ms after its abort`,
          );
        }
      },
      "S4.2 what is aborted before it begins does not happen": async (desk) => {
        const { action } = dispatchAborted(desk);
        mustEqual(await effectsInTheEnd(desk, action), 0, "effects of a dispatch whose signal had been aborted");
      },
    };
  }
  return {
    "S4.2 (no `abort`) an aborted dispatch comes to its own end": async (desk) => {
      await desk.subject.behave("is_slow");
      const dispatched = dispatch(desk, anAction(desk, "a"));
      await desk.clock.sleep(LIMIT_MS);
      dispatched.abort();
      const late = desk.clock.sleep(2 * SLOW_MS).then(() => "silent");
      mustEqual(
        await Promise.race([dispatched.outcome, late]),
        "applied",
        "outcome of a dispatch that does not heed its abort",
      );
      mustEqual(await effectsInTheEnd(desk, dispatched.action), 1, "effects");
    },
  };
}
