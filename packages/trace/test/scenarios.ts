import type { ExecutionEvent, ExecutionReport } from "@eoc/core";
import { anAttempt, aReport, aRow, eventsOf, PLAN_HASH, STARTED_AT } from "./support.js";

const row = { basis: "result", replayed: false, latencyMs: 0, waitedMs: 0 } as const;

/** Refused twice, applied at last; the one after it is replayed. */
export function retried(): ExecutionEvent[] {
  const act = { actionIndex: 0, action: "ACT" } as const;
  return eventsOf("order-1001", [
    [0, { type: "execution.started", planHash: PLAN_HASH, actionCount: 2 }],
    [0, { type: "action.started", ...act, id: "place-order" }],
    [0, { type: "attempt.intended", ...act, attemptNumber: 0 }],
    [2, { type: "attempt.started", actionIndex: 0, attemptNumber: 0, limitMs: 5000 }],
    [
      122,
      {
        type: "attempt.finished",
        ...act,
        attemptNumber: 0,
        status: "failed",
        startedAtMs: STARTED_AT + 2,
        latencyMs: 120,
        errorCode: "http_503",
      },
    ],
    [122, { type: "wait.started", actionIndex: 0, attemptNumber: 1, cause: "backoff", untilMs: STARTED_AT + 222 }],
    [222, { type: "wait.finished", actionIndex: 0, attemptNumber: 1, cause: "backoff", waitedMs: 100 }],
    [222, { type: "attempt.intended", ...act, attemptNumber: 1 }],
    [224, { type: "attempt.started", actionIndex: 0, attemptNumber: 1, limitMs: 5000 }],
    [
      304,
      {
        type: "attempt.finished",
        ...act,
        attemptNumber: 1,
        status: "failed",
        startedAtMs: STARTED_AT + 224,
        latencyMs: 80,
        errorCode: "rate_limited",
      },
    ],
    [304, { type: "wait.started", actionIndex: 0, attemptNumber: 2, cause: "backoff", untilMs: STARTED_AT + 504 }],
    [504, { type: "wait.finished", actionIndex: 0, attemptNumber: 2, cause: "backoff", waitedMs: 200 }],
    [504, { type: "wait.started", actionIndex: 0, attemptNumber: 2, cause: "rate_limit", untilMs: STARTED_AT + 1000 }],
    [1000, { type: "wait.finished", actionIndex: 0, attemptNumber: 2, cause: "rate_limit", waitedMs: 496 }],
    [1000, { type: "attempt.intended", ...act, attemptNumber: 2 }],
    [1002, { type: "attempt.started", actionIndex: 0, attemptNumber: 2, limitMs: 5000 }],
    [
      1302,
      {
        type: "attempt.finished",
        ...act,
        attemptNumber: 2,
        status: "success",
        startedAtMs: STARTED_AT + 1002,
        latencyMs: 300,
      },
    ],
    [
      1302,
      {
        type: "action.finished",
        ...row,
        ...act,
        id: "place-order",
        status: "success",
        reason: "completed",
        attemptCount: 3,
      },
    ],
    [1302, { type: "action.started", actionIndex: 1, action: "ACT", id: "send-receipt" }],
    [
      1304,
      {
        type: "action.finished",
        ...row,
        actionIndex: 1,
        action: "ACT",
        id: "send-receipt",
        status: "success",
        reason: "replayed",
        basis: "replay",
        replayed: true,
        attemptCount: 0,
      },
    ],
    [
      1304,
      { type: "execution.finished", status: "success", totalLatencyMs: 1304, failClosed: false, planHash: PLAN_HASH },
    ],
  ]);
}

/** Two at a time; the kill switch comes while one is in flight and one waits; the first answers when all is over. */
export function halted(): ExecutionEvent[] {
  const refund = { actionIndex: 0, action: "ACT" } as const;
  const notify = { actionIndex: 1, action: "ACT" } as const;
  return eventsOf("refunds-7", [
    [0, { type: "execution.started", planHash: PLAN_HASH, actionCount: 3 }],
    [0, { type: "action.started", ...refund, id: "refund-customer", idempotencyKey: "refund-7" }],
    [0, { type: "attempt.intended", ...refund, attemptNumber: 0, idempotencyKey: "refund-7" }],
    [0, { type: "attempt.started", actionIndex: 0, attemptNumber: 0, limitMs: 5000 }],
    [0, { type: "action.started", ...notify, id: "notify" }],
    [0, { type: "attempt.intended", ...notify, attemptNumber: 0 }],
    [1, { type: "attempt.started", actionIndex: 1, attemptNumber: 0, limitMs: 5000 }],
    [
      201,
      {
        type: "attempt.finished",
        ...notify,
        attemptNumber: 0,
        status: "failed",
        startedAtMs: STARTED_AT + 1,
        latencyMs: 200,
        errorCode: "mailbox_full",
      },
    ],
    [201, { type: "wait.started", actionIndex: 1, attemptNumber: 1, cause: "backoff", untilMs: STARTED_AT + 1201 }],
    [700, { type: "halt.observed", cause: "kill_switch" }],
    [700, { type: "wait.finished", actionIndex: 1, attemptNumber: 1, cause: "backoff", waitedMs: 499 }],
    [
      700,
      {
        type: "action.finished",
        ...row,
        ...notify,
        id: "notify",
        status: "failed",
        reason: "kill_switch",
        errorCode: "mailbox_full",
        attemptCount: 1,
      },
    ],
    [700, { type: "action.started", actionIndex: 2, action: "EXIT", id: "close-account" }],
    [
      700,
      {
        type: "action.finished",
        ...row,
        actionIndex: 2,
        action: "EXIT",
        id: "close-account",
        status: "denied",
        reason: "kill_switch",
        basis: "none",
        attemptCount: 0,
      },
    ],
    [
      800,
      {
        type: "attempt.finished",
        ...refund,
        attemptNumber: 0,
        status: "unknown",
        startedAtMs: STARTED_AT,
        latencyMs: 800,
        errorCode: "aborted",
        idempotencyKey: "refund-7",
      },
    ],
    [
      800,
      {
        type: "action.finished",
        ...row,
        ...refund,
        id: "refund-customer",
        status: "unknown",
        reason: "kill_switch",
        basis: "abort",
        attemptCount: 1,
        idempotencyKey: "refund-7",
      },
    ],
    [
      800,
      {
        type: "execution.finished",
        status: "unknown",
        reason: "kill_switch",
        totalLatencyMs: 800,
        failClosed: false,
        haltLatencyMs: 100,
        planHash: PLAN_HASH,
      },
    ],
    [1450, { type: "attempt.settled_late", actionIndex: 0, attemptNumber: 0, status: "success" }],
  ]);
}

/** Broken off at its limit, asked, and told that nothing was applied; then the next answer comes late, inside the grace. */
export function reconciled(): ExecutionEvent[] {
  const act = { actionIndex: 0, action: "ACT" } as const;
  return eventsOf("transfer-9", [
    [0, { type: "execution.started", planHash: PLAN_HASH, actionCount: 2 }],
    [0, { type: "action.started", ...act, id: "transfer-funds" }],
    [0, { type: "attempt.intended", ...act, attemptNumber: 0 }],
    [3, { type: "attempt.started", actionIndex: 0, attemptNumber: 0, limitMs: 2000 }],
    [
      2103,
      {
        type: "attempt.finished",
        ...act,
        attemptNumber: 0,
        status: "unknown",
        startedAtMs: STARTED_AT + 3,
        latencyMs: 2100,
        errorCode: "timeout",
        late: true,
      },
    ],
    [2103, { type: "reconcile.started", actionIndex: 0, attemptNumber: 0 }],
    [2380, { type: "reconcile.finished", actionIndex: 0, attemptNumber: 0, verdict: "not_applied" }],
    [2380, { type: "wait.started", actionIndex: 0, attemptNumber: 1, cause: "backoff", untilMs: STARTED_AT + 2480 }],
    [2480, { type: "wait.finished", actionIndex: 0, attemptNumber: 1, cause: "backoff", waitedMs: 100 }],
    [2480, { type: "attempt.intended", ...act, attemptNumber: 1 }],
    [2483, { type: "attempt.started", actionIndex: 0, attemptNumber: 1, limitMs: 2000 }],
    [
      4533,
      {
        type: "attempt.finished",
        ...act,
        attemptNumber: 1,
        status: "success",
        startedAtMs: STARTED_AT + 2483,
        latencyMs: 2050,
        late: true,
      },
    ],
    [
      4533,
      {
        type: "action.finished",
        ...row,
        ...act,
        id: "transfer-funds",
        status: "success",
        reason: "completed",
        attemptCount: 2,
      },
    ],
    [4533, { type: "action.started", actionIndex: 1, action: "HOLD", id: "action-1" }],
    [
      4533,
      {
        type: "action.finished",
        ...row,
        actionIndex: 1,
        action: "HOLD",
        id: "action-1",
        status: "skipped",
        reason: "hold",
        basis: "none",
        attemptCount: 0,
      },
    ],
    [
      4533,
      { type: "execution.finished", status: "success", totalLatencyMs: 4533, failClosed: false, planHash: PLAN_HASH },
    ],
  ]);
}

/** The process died: the last that is recorded is a dispatch. */
export function crashed(): ExecutionEvent[] {
  return halted().slice(0, 9);
}

/** As a report: one applied, one unknown, the rest left out. */
export function unknownReport(): ExecutionReport {
  return aReport({
    executionId: "nightly-settlement",
    status: "unknown",
    failClosed: true,
    totalLatencyMs: 6312,
    attempts: [
      anAttempt({ latencyMs: 212, status: "failed", errorCode: "lock_timeout" }),
      anAttempt({ attemptNumber: 1, startedAtMs: STARTED_AT + 312, latencyMs: 340 }),
      anAttempt({
        actionIndex: 1,
        startedAtMs: STARTED_AT + 652,
        latencyMs: 5100,
        status: "unknown",
        errorCode: "timeout",
      }),
    ],
    actions: [
      aRow({ id: "book-ledger", attemptCount: 2, latencyMs: 652, waitedMs: 100 }),
      aRow({
        id: "wire-payment",
        index: 1,
        status: "unknown",
        reason: "attempt_timeout",
        basis: "timeout",
        errorCode: "timeout",
      }),
      aRow({
        id: "notify-bank",
        index: 2,
        status: "skipped",
        reason: "prior_action_failed",
        basis: "none",
        attemptCount: 0,
      }),
    ],
  });
}
