import type { RetryPolicy } from "@eoc/core";
import type { Run } from "./run.js";
import { type AttemptStory, settledSeq } from "./story.js";
import type { Find } from "./violation.js";

/** INV-EXE-2: attempts, time, order and concurrency are bounded. */
export function checkBounds(run: Run, find: Find): void {
  checkTime(run, find);
  checkOrder(run, find);
  checkConcurrency(run, find);
  checkFailureStops(run, find);
  for (const { planned, attempts } of run.story.actions) {
    if (planned.action === "HOLD" && attempts.length > 0) {
      find("S1.5", "HOLD was dispatched", attempts[0]!.started);
    }
    checkAttempts(run, attempts, find);
  }
}

function checkAttempts({ policy }: Run, attempts: readonly AttemptStory[], find: Find): void {
  const limit = 1 + policy.retry.maxRetries;
  for (const [index, { number, started }] of attempts.entries()) {
    if (number !== index) find("S3.4", `attempt ${number} is the dispatch number ${index}`, started);
    if (index === limit)
      find("S3.4", `dispatch ${limit + 1} of the action; the policy allows ${limit} (1 + maxRetries)`, started);
    const previous = attempts[index - 1];
    if (previous === undefined) continue;
    const startSeq = started!.seq;
    const { finished } = previous;
    if (finished === undefined || finished.seq > startSeq) {
      find("S4.3", `attempt ${number} started before attempt ${previous.number} had ended`, started);
    } else if (settledSeq(previous) > startSeq) {
      find("S4.3", `attempt ${number} started while the executor was still at attempt ${previous.number}`, started);
    } else {
      const waitedMs = started!.atMs - finished.atMs;
      const leastMs = leastBackoffMs(policy.retry, index);
      // Engines differ in the last bit of a power.
      if (waitedMs < leastMs - 1) {
        find(
          "S3.5",
          `retry ${index} came ${waitedMs} ms after the attempt before it; its backoff is at least ${leastMs} ms`,
          started,
        );
      }
    }
  }
}

/** The least that the policy makes retry `retryNumber` wait. */
function leastBackoffMs(retry: RetryPolicy, retryNumber: number): number {
  if (retry.jitter === "full" || retry.initialBackoffMs === 0) return 0;
  const growth = retry.initialBackoffMs * retry.backoffMultiplier ** (retryNumber - 1);
  const backoff = Number.isFinite(growth) ? Math.min(Math.trunc(growth), retry.maxBackoffMs) : retry.maxBackoffMs;
  return retry.jitter === "equal" ? Math.trunc(backoff / 2) : backoff;
}

function checkTime({ policy, story, report, slackMs }: Run, find: Find): void {
  const { attemptTimeoutMs, maxTotalTimeMs, abortGraceMs, portTimeoutMs } = policy.timeout;
  const longestMs = maxTotalTimeMs + abortGraceMs + portTimeoutMs;
  if (report.totalLatencyMs > longestMs + slackMs) {
    find("S4.1", `the execution took ${report.totalLatencyMs} ms; its bound is ${longestMs} ms`);
  }
  if (story.started === undefined) return;
  const deadlineMs = story.started.atMs + maxTotalTimeMs;
  for (const { started, finished, actionIndex } of story.starts) {
    const leftMs = deadlineMs - started.atMs;
    if (leftMs <= 0) find("S3.6", `a dispatch started ${-leftMs} ms after the deadline`, started);
    const limitMs = Math.min(attemptTimeoutMs, leftMs);
    if (leftMs > 0 && started.limitMs !== Math.trunc(limitMs)) {
      find("S4.2", `the limit of the attempt is ${started.limitMs} ms and must be ${limitMs} ms`, started);
    }
    if (finished === undefined) continue;
    // Repeatable actions may settle as late as the deadline (S4.3).
    const once = story.actions[actionIndex]?.planned.effect === "once";
    const longestAttemptMs = (once ? limitMs : leftMs) + abortGraceMs;
    if (finished.latencyMs > longestAttemptMs + slackMs) {
      find(
        "S4.2",
        `the attempt was waited for ${finished.latencyMs} ms; its bound is ${longestAttemptMs} ms`,
        finished,
      );
    }
  }
  for (const event of story.events) {
    if (event.type !== "wait.started" || event.untilMs === undefined) continue;
    const isPause = event.cause === "backoff" || event.cause === "rate_limit" || event.cause === "gate";
    if (isPause && event.untilMs >= deadlineMs)
      find("S3.6", `a ${event.cause} wait that goes beyond the deadline was begun`, event);
  }
}

/** S5.1: actions that are dispatched are begun in plan order. */
function checkOrder({ story }: Run, find: Find): void {
  let last = -1;
  for (const event of story.events) {
    if (event.type !== "action.started" || story.actions[event.actionIndex]?.attempts.length === 0) continue;
    if (event.actionIndex <= last) find("S5.1", `action ${event.actionIndex} was begun after action ${last}`, event);
    last = Math.max(last, event.actionIndex);
  }
}

/** S4.4: an executor that has not settled counts, even if its attempt was given up. */
function checkConcurrency({ policy, story }: Run, find: Find): void {
  let open: AttemptStory[] = [];
  for (const attempt of story.starts) {
    const { started } = attempt;
    open = [...open.filter((earlier) => settledSeq(earlier) > started.seq), attempt];
    if (open.length > policy.maxConcurrency) {
      find("S4.4", `${open.length} dispatches were in flight; maxConcurrency is ${policy.maxConcurrency}`, started);
    }
  }
}

/** S5.2: what follows an action that did not succeed. */
function checkFailureStops({ policy, story, report }: Run, find: Find): void {
  if (policy.onFailure === "continue") {
    for (const { index, reason } of report.actions) {
      if (reason === "prior_action_failed")
        find("S5.2", 'stopped by another action under onFailure "continue"', { actionIndex: index });
    }
    return;
  }
  const failed = story.events.find(
    (event) => event.type === "action.finished" && event.status !== "success" && event.status !== "skipped",
  );
  if (failed === undefined) return;
  for (const { started } of story.starts) {
    if (started.seq > failed.seq) find("S5.2", "dispatched after another action had ended without success", started);
  }
}
