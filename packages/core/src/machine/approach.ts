import { backoffMs } from "../policy/backoff.js";
import { type RateRequest, rateRequests } from "../policy/rate-requests.js";
import type { ExecutionEvent } from "../report/events.js";
import type { TerminalReason } from "../report/terminal-reason.js";
import { conclude, leaveBulkhead, leaveLine, portLimit, refuse, stopped, unavailable } from "./conclude.js";
import { loseClaim, readSwitch } from "./dispatch.js";
import type { ClaimAnswer, GateAnswer, Input, PermitAnswer } from "./inputs.js";
import { type ActionState, deadlineOf, type Machine, type Phase } from "./state.js";
import { attemptNumber, emit, endWait, startWait, tell, timeOf } from "./transcript.js";

/*
 * The way to a dispatch (S5.5): slot, key, shared slot, claim, gates, permit, intent, kill switch, dispatch. Every
 * function takes one step and leaves the action in the phase that awaits its answer, or walks on where nobody has to
 * be asked.
 */

/** The action has its slot and its key: the shared slot comes next. */
export function approach(machine: Machine, action: ActionState): void {
  if (!machine.facts.hasBulkhead || action.inBulkhead) return claim(machine, action);
  action.phase = "bulkhead";
  tell(machine, { type: "enter_bulkhead", action: action.index });
}

export function onBulkhead(machine: Machine, action: ActionState, { verdict }: Input & { type: "bulkhead" }): void {
  action.phase = verdict === "queued" ? "queued" : "bulkhead";
  if (verdict === "entered") {
    action.inBulkhead = true;
    endWait(machine, action);
  }
  if (stopped(machine, action)) return;
  if (verdict === "entered") return claim(machine, action);
  if (verdict === "queued") return startWait(machine, action, "bulkhead", deadlineOf(machine));
  refuse(machine, action, verdict === "full" ? "bulkhead_full" : "bulkhead_unavailable");
}

function claim(machine: Machine, action: ActionState): void {
  if (!machine.policy.idempotency.enabled || action.claimed) return askGates(machine, action);
  action.phase = "claim";
  const takeOver = action.inDoubt !== undefined;
  tell(machine, { type: "claim_key", action: action.index, limitAt: portLimit(machine), takeOver });
}

export function onClaim(machine: Machine, action: ActionState, verdict: ClaimAnswer): void {
  if (verdict.state === "claimed") {
    action.claimed = true;
    emit(machine, {
      seq: machine.seq++,
      atMs: timeOf(machine),
      executionId: machine.facts.executionId,
      type: "key.claimed",
      actionIndex: action.index,
      idempotencyKey: action.key!,
    });
    if (stopped(machine, action)) return;
    if (action.inDoubt !== "unasked") return askGates(machine, action);
    if (machine.at >= deadlineOf(machine)) return refuse(machine, action, "in_doubt");
    return askReconcile(machine, action);
  }
  if (stopped(machine, action)) return;
  switch (verdict.state) {
    case "completed":
      action.replay = true;
      if (verdict.valueOmitted) action.valueOmitted = true;
      return readSwitch(machine, action);
    case "in_progress":
      return pollClaim(machine, action);
    case "conflict":
      return refuse(machine, action, "idempotency_conflict");
    case "unknown":
      return resolveDoubt(machine, action);
    default:
      return refuse(machine, action, unavailable(machine, "idempotency_store_unavailable"));
  }
}

/** Somebody else is at it: asks again later, at growing intervals, if the policy and the deadline allow. */
function pollClaim(machine: Machine, action: ActionState): void {
  if (machine.policy.idempotency.onInProgress === "deny") return refuse(machine, action, "in_progress");
  // Somebody else may dispatch meanwhile: whatever allowed to take the key over allows it no more.
  action.inDoubt = undefined;
  action.polls = (action.polls ?? 0) + 1;
  // The last time just before the deadline.
  const left = deadlineOf(machine) - 1 - machine.at;
  const pause = Math.max(1, Math.min(backoffMs(machine.policy.retry, action.polls), left));
  waitAside(machine, action, "claim_wait", "claim", pause, "in_progress");
}

/** The key is in doubt: may it be dispatched all the same (S7.2)? */
function resolveDoubt(machine: Machine, action: ActionState): void {
  const { effect } = machine.plan.actions[action.index]!;
  if (action.inDoubt !== undefined) return refuse(machine, action, "in_doubt");
  if (effect === "none")
    action.inDoubt = "not_applied"; // A read applies nothing.
  else if (effect !== "once" || machine.policy.idempotency.onUnknown === "retry") action.inDoubt = "unproven";
  else if (machine.facts.canReconcile) action.inDoubt = "unasked";
  else return refuse(machine, action, "in_doubt");
  claim(machine, action);
}

/** Reconcile has spoken of a key that was in doubt and is held since: nobody else has dispatched after what it saw. */
export function onDoubtReconciled(
  machine: Machine,
  action: ActionState,
  verdict: "applied" | "not_applied" | "unknown",
): void {
  if (verdict === "unknown") return refuse(machine, action, "in_doubt");
  if (verdict === "applied") return conclude(machine, action, "reconciled");
  action.inDoubt = verdict;
  if (!stopped(machine, action)) askGates(machine, action);
}

/** Asks the outside world, limited by an attempt's time and by what remains (S3.3). */
export function askReconcile(machine: Machine, action: ActionState): void {
  action.phase = "reconcile";
  const attempt = Math.max(0, action.attempts.length - 1);
  emit(machine, {
    seq: machine.seq++,
    atMs: timeOf(machine),
    executionId: machine.facts.executionId,
    type: "reconcile.started",
    actionIndex: action.index,
    attemptNumber: attempt,
  });
  const limitAt = Math.min(machine.at + machine.policy.timeout.attemptTimeoutMs, deadlineOf(machine));
  tell(machine, { type: "reconcile", action: action.index, attempt, limitAt });
}

function askGates(machine: Machine, action: ActionState): void {
  if (!machine.facts.hasGates) return acquire(machine, action);
  action.phase = "gates";
  tell(machine, {
    type: "ask_gates",
    action: action.index,
    attempt: attemptNumber(action),
    limitAt: portLimit(machine),
  });
}

export function onGates(machine: Machine, action: ActionState, verdict: GateAnswer): void {
  if (stopped(machine, action)) return;
  if (verdict.state === "allowed") return acquire(machine, action);
  if (verdict.state === "unavailable") return refuse(machine, action, unavailable(machine, "gate_unavailable"));
  const { code, retryAfterMs } = verdict;
  if (retryAfterMs === undefined || retryAfterMs > machine.policy.retry.maxRetryAfterMs) {
    return refuse(machine, action, "gate_denied", code, retryAfterMs);
  }
  // A permit may be had before the gate may be asked again: somebody else's.
  leaveLine(machine, action);
  waitAside(machine, action, "gate_wait", "gate", Math.max(1, retryAfterMs), "gate_denied", code, retryAfterMs);
}

function acquire(machine: Machine, action: ActionState): void {
  const requests: readonly RateRequest[] = rateRequests(machine.policy, machine.plan.actions[action.index]!.action);
  if (requests.length === 0) return intend(machine, action);
  action.phase = "permit";
  tell(machine, { type: "acquire_permit", action: action.index, limitAt: portLimit(machine) });
}

export function onPermit(machine: Machine, action: ActionState, verdict: PermitAnswer): void {
  if (verdict.state === "granted") {
    action.hasPermit = true;
    leaveLine(machine, action, true);
    if (!stopped(machine, action)) intend(machine, action);
    return;
  }
  if (stopped(machine, action)) return;
  if (verdict.state === "unavailable") return refuse(machine, action, unavailable(machine, "rate_limiter_unavailable"));
  const { state, retryAfterMs } = verdict;
  if (machine.policy.rateLimit.onExceeded === "deny")
    return refuse(machine, action, "rate_limited", undefined, retryAfterMs);
  standInLine(machine, action, state === "behind", retryAfterMs);
}

/** Who is refused by the limiter asks it again; who is behind somebody waits for his turn, which has no time of its own (S6.3). */
function standInLine(machine: Machine, action: ActionState, behind: boolean, retryAfterMs: number): void {
  const at = machine.at + Math.ceil(behind ? retryAfterMs : Math.max(1, retryAfterMs));
  if (!(at < deadlineOf(machine))) return refuse(machine, action, "rate_limited", undefined, retryAfterMs);
  leaveBulkhead(machine, action);
  action.phase = behind ? "permit_line" : "permit_wait";
  action.inLine = true;
  startWait(machine, action, "rate_limit", behind ? undefined : at);
  tell(machine, { type: "join_line", action: action.index, at, behind });
}

function intend(machine: Machine, action: ActionState): void {
  if (!machine.facts.observed) return startKey(machine, action);
  action.phase = "intent";
  action.intended = true;
  const { action: name } = machine.plan.actions[action.index]!;
  const event: ExecutionEvent = Object.freeze({
    seq: machine.seq++,
    atMs: timeOf(machine),
    executionId: machine.facts.executionId,
    type: "attempt.intended",
    actionIndex: action.index,
    attemptNumber: action.attempts.length,
    action: name,
    ...(action.key === undefined ? undefined : { idempotencyKey: action.key }),
  });
  tell(machine, { type: "intend", action: action.index, limitAt: portLimit(machine), event });
}

export function onIntent(machine: Machine, action: ActionState, ok: boolean): void {
  if (stopped(machine, action)) return;
  if (ok) startKey(machine, action);
  else refuse(machine, action, unavailable(machine, "journal_unavailable"));
}

/** A claim may have been lost in any of the waits before: the store is asked before every dispatch (S7.3). */
function startKey(machine: Machine, action: ActionState): void {
  if (!action.claimed) return readSwitch(machine, action);
  action.phase = "key_start";
  tell(machine, { type: "start_key", action: action.index, limitAt: portLimit(machine) });
}

export function onKeyStarted(
  machine: Machine,
  action: ActionState,
  { verdict, heldUntil }: Input & { type: "key_started" },
): void {
  if (stopped(machine, action)) return;
  action.heldUntil = heldUntil;
  if (verdict === "done") return readSwitch(machine, action);
  if (verdict === "stale") return loseClaim(machine, action);
  refuse(machine, action, unavailable(machine, "idempotency_store_unavailable"));
}

/** Waits without the shared slot, then starts over; refuses at once what would not fit the deadline (S3.6). */
function waitAside(
  machine: Machine,
  action: ActionState,
  phase: Phase,
  cause: "claim" | "gate",
  pauseMs: number,
  reason: TerminalReason,
  errorCode?: string,
  retryAfterMs?: number,
): void {
  const until = machine.at + Math.ceil(pauseMs);
  if (!(until < deadlineOf(machine))) return refuse(machine, action, reason, errorCode, retryAfterMs);
  leaveBulkhead(machine, action);
  action.phase = phase;
  startWait(machine, action, cause, until);
}
