import { isDeepStrictEqual } from "node:util";
import { definePolicy, reportFromEvents } from "../../src/index.js";
import { SECRET } from "./faulty-ports.js";
import type { RandomCase } from "./random-case.js";
import type { Outcome, Seen } from "./random-execution.js";

/** What has to be so of each execution, seen from outside. */
const EXECUTION: Readonly<Record<string, (seen: Seen, random: RandomCase) => boolean>> = {
  "S1.5 HOLD is never dispatched": ({ calls }, { actions }) => calls.every(({ action }) => !actions[action]!.hold),
  "S1.7 nothing is dispatched before the throttle is over": ({ calls, startedMs }, { throttleMs = 0 }) =>
    calls.every((call) => call.startedMs - startedMs >= throttleMs),
  "S2.2 nothing is dispatched after a halt or a cancel": ({ calls }) => calls.every(({ afterStop }) => !afterStop),
  "S3.1 once: after an unknown outcome there is no other dispatch": ({ report }, { actions }) =>
    report.attempts.every(({ status, actionIndex, attemptNumber }) => {
      const isLast = attemptNumber === report.actions[actionIndex]!.attemptCount - 1;
      return status !== "unknown" || actions[actionIndex]!.effect !== "once" || isLast;
    }),
  "S3.4 an action is dispatched at most 1 + maxRetries times": ({ calls }, { actions, policy }) =>
    actions.every((_, i) => calls.filter(({ action }) => action === i).length <= 1 + policy.retry!.maxRetries!),
  "S3.6 nothing is dispatched at or after the deadline": ({ calls, startedMs }, { policy }) =>
    calls.every((call) => call.startedMs - startedMs < policy.timeout!.maxTotalTimeMs!),
  "S4.1 the report comes in time": ({ startedMs, endedMs }, { policy }) => {
    const { maxTotalTimeMs, abortGraceMs, portTimeoutMs } = definePolicy(policy).timeout;
    return endedMs - startedMs <= maxTotalTimeMs + abortGraceMs + portTimeoutMs;
  },
  "S4.3 no two attempts of one action overlap": ({ calls }) => calls.every(({ overlaps }) => !overlaps),
  "S4.4 no more than maxConcurrency are in flight": ({ calls }, { policy }) =>
    calls.every(({ inFlight }) => inFlight <= policy.maxConcurrency!),
  "S4.6 no listener is left": ({ listenersLeft }) => listenersLeft === 0,
  "S5.1, S5.3 every action has one row, in plan order": ({ report }, { actions }) =>
    report.actions.length === actions.length && report.actions.every(({ index }, at) => index === at),
  "S5.1 what is dispatched was begun in plan order": ({ events, calls }) => {
    const dispatched = new Set(calls.map(({ action }) => action));
    const begun = events.flatMap((event) =>
      event.type === "action.started" && dispatched.has(event.actionIndex) ? [event.actionIndex] : [],
    );
    return begun.every((index, at) => at === 0 || index > begun[at - 1]!);
  },
  "S5.4 no more than the bulkhead's slots are in flight": ({ calls }, { bulkhead }) =>
    calls.every(({ inFlightTogether }) => bulkhead === undefined || inFlightTogether <= bulkhead.limit),
  "S7.1 an effect carries the key of its row": ({ report, effects }) =>
    effects.every(({ action, key }) => key === report.actions[action]!.idempotencyKey),
  "S8.1 seq is dense": ({ events }) => events.every(({ seq }, at) => seq === at),
  "S8.1 the events rebuild the report": ({ events, report }, { listener }) => {
    if (listener === "none") return true;
    const { recordError: _, ...rest } = report;
    return isDeepStrictEqual(plain(reportFromEvents(events)), plain(rest));
  },
  "S8.2 the intent is on record before the dispatch": ({ calls }) => calls.every(({ intended }) => intended),
  "S9.1 nothing that an executor, a port or a listener says gets into the record": ({ report, events }) =>
    !JSON.stringify([report, events]).includes(SECRET),
  "S10 every dispatch is an attempt of the report, and every attempt was dispatched": ({ calls, report }) =>
    isDeepStrictEqual(
      calls.map(({ action, attempt }) => `${action}/${attempt}`).sort(),
      report.attempts.map(({ actionIndex, attemptNumber }) => `${actionIndex}/${attemptNumber}`).sort(),
    ),
  "S10 no more was applied than attempts are said to have": ({ report, effects }) =>
    report.actions.every(({ index }) => {
      const applied = report.attempts.filter(({ actionIndex, status }) => actionIndex === index && status !== "failed");
      return effects.filter(({ action }) => action === index).length <= applied.length;
    }),
  "no legitimate execution is a protocol error": ({ report }) => report.reason !== "protocol_error",
};

const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;

/** What has to be so of all executions together. */
const TOGETHER: Readonly<Record<string, (outcome: Outcome) => boolean>> = {
  "S3.1 once: applied at most once by one execution": ({ random, runs }) =>
    runs.every((seen) => atMostOnce([seen], random)),
  "S7.2 once: applied at most once by all executions that share a store": ({ random, runs }) =>
    !random.policy.idempotency?.enabled || atMostOnce(runs, random),
  "S4.6 no timer is left": ({ runs, timersLeft }) => {
    // What settled late may have a better word for its key, and that write has its limit.
    const corrections = runs
      .flatMap(({ report }) => report.actions)
      .filter(({ status, idempotencyKey }) => idempotencyKey && (status === "unknown" || status === "failed"));
    return timersLeft.every(([early, late]) => early <= corrections.length && late === 0);
  },
  "S5.4 every shared slot is left, but by what has not settled": ({ sharedSlotsLeft }) => sharedSlotsLeft === 0,
  "S6.1, S6.4 at most `limit` starts in every window, whoever shares the limiter": ({ random, runs }) => {
    const { global } = random.policy.rateLimit ?? {};
    if (global === undefined) return true;
    const starts = runs.flatMap(({ calls }) => calls.map(({ startedMs }) => startedMs)).sort((a, b) => a - b);
    return starts.every((start, i) => !(starts[i + global.limit]! - start < global.windowMs));
  },
  "S6.2 every permit is used or handed back": ({ permitsLeft }) => permitsLeft === 0,
  "S10 what is said to be a success was applied": ({ runs, hasApplied }) =>
    runs.every(({ report }) => report.actions.every(({ status, index }) => status !== "success" || hasApplied(index))),
};

function atMostOnce(runs: readonly Seen[], { actions }: RandomCase): boolean {
  const effects = runs.flatMap((seen) => seen.effects);
  return actions.every(
    ({ effect }, i) => effect !== "once" || effects.filter(({ action }) => action === i).length <= 1,
  );
}

/** Says which facts are not so. */
export function problemsOf(outcome: Outcome): string[] {
  const { random, runs } = outcome;
  const problems = Object.keys(TOGETHER).filter((fact) => !TOGETHER[fact]!(outcome));
  for (const fact in EXECUTION) {
    for (const seen of runs) if (!EXECUTION[fact]!(seen, random)) problems.push(`${seen.executionId}: ${fact}`);
  }
  return problems;
}
