import type { Effect, ExecutionEvent, ExecutionPolicy } from "@eoc/core";
import { ActionConduct, type Charges, type EventOf } from "./action-conduct.js";
import { Closing } from "./closing.js";
import { RateLog } from "./rate-log.js";

/** Sums of fractions are not exact. */
const ROUNDING_MS = 0.001;

/** Holds the records of one execution to its bounds. Its memory grows with its plan, not with its length. */
export class Conduct {
  readonly #planHash: string;
  readonly #actionCount: number;
  readonly #startedAtMs: number;
  readonly #actions = new Map<number, ActionConduct>();
  readonly #rates = new RateLog();
  readonly #closing = new Closing();
  #policy: ExecutionPolicy | undefined;
  #effects: readonly Effect[] | undefined;
  #inFlight = 0;
  #halted = false;
  #failed = false;
  #policyMissed = false;
  #lastMs: number;
  /** Events of actions have come: what they may do had to be on record before. */
  #begun = false;

  constructor({ planHash, actionCount, atMs }: EventOf<"execution.started">, policy: ExecutionPolicy | undefined) {
    this.#planHash = planHash;
    this.#actionCount = actionCount;
    this.#startedAtMs = atMs;
    this.#lastMs = atMs;
    this.#policy = policy;
  }

  /** The policy and the effect classes that are on record for this execution alone: once, and before it does anything. */
  bind(planHash: string, policy: ExecutionPolicy | undefined, effects: readonly Effect[], { broken }: Charges): void {
    if (this.#effects !== undefined || this.#begun) {
      return broken("bounds_mismatch", "these bounds come when the execution is under way, or has some already");
    }
    if (planHash !== this.#planHash || effects.length !== this.#actionCount) {
      broken("bounds_mismatch", "these bounds are those of another plan");
    }
    this.#policy = policy;
    this.#effects = effects;
  }

  apply(event: ExecutionEvent, charges: Charges): void {
    if (event.atMs < this.#lastMs) charges.broken("time_went_back", "it is earlier than the event before it");
    this.#lastMs = Math.max(this.#lastMs, event.atMs);
    if (event.type === "halt.observed") this.#halted = true;
    if (event.type === "execution.finished") this.#closing.check(event, this.#planHash, charges);
    if (!("actionIndex" in event)) return;
    this.#begun = true;
    const action = this.#actionOf(event.actionIndex);
    action.mustBe(event, charges);
    const effect = this.#effects?.[event.actionIndex];
    const atWork = action.atWork;
    switch (event.type) {
      case "action.started":
        action.kind ||= event.action;
        break;
      case "key.claimed":
        action.claimed = true;
        break;
      case "attempt.intended":
        this.#notHalted(action.attempt(event.attemptNumber), "intended", charges);
        action.intend(event.attemptNumber, charges);
        break;
      case "attempt.withdrawn":
        action.withdraw();
        break;
      case "attempt.started":
        this.#notHalted(action.attempt(event.attemptNumber), "dispatched", charges);
        this.#inPlan(event, action, charges);
        this.#within(event, action, charges);
        action.start(event.attemptNumber, effect, charges);
        break;
      case "attempt.finished":
        action.finish(event);
        break;
      case "attempt.settled_late":
        action.settleLate(event);
        break;
      case "reconcile.finished":
        action.reconcile(event);
        break;
      case "action.finished":
        action.end(event, effect, charges);
        this.#closing.row(event);
        this.#failed ||= event.status !== "success" && event.status !== "skipped";
        break;
      default:
    }
    this.#inFlight += action.atWork - atWork;
  }

  #actionOf(index: number): ActionConduct {
    const action = this.#actions.get(index) ?? new ActionConduct(index);
    this.#actions.set(index, action);
    return action;
  }

  #notHalted(name: string, what: string, { broken }: Charges): void {
    if (this.#halted) broken("after_halt", `${name} is ${what} after the halt`);
  }

  /** Whether the decision has this action, and means it to be dispatched. */
  #inPlan(
    { attemptNumber, actionIndex }: EventOf<"attempt.started">,
    action: ActionConduct,
    { broken }: Charges,
  ): void {
    const name = action.attempt(attemptNumber);
    if (actionIndex >= this.#actionCount)
      broken("not_in_plan", `${name} is dispatched, of ${this.#actionCount} actions`);
    if (action.kind === "HOLD") broken("hold_dispatched", `${name} is dispatched, which is a HOLD`);
  }

  /** Whether the policy allows this dispatch now. */
  #within(event: EventOf<"attempt.started">, action: ActionConduct, { broken, unproven }: Charges): void {
    const policy = this.#policy;
    if (policy === undefined) {
      if (!this.#policyMissed) unproven("no_policy", "nothing says which policy this execution was under");
      this.#policyMissed = true;
      return;
    }
    const { retry, timeout, maxConcurrency, onFailure, idempotency, rateLimit } = policy;
    const { attemptNumber, limitMs } = event;
    const name = action.attempt(attemptNumber);
    if (action.starts > retry.maxRetries) {
      broken("too_many_dispatches", `${name} is dispatch ${action.starts + 1} of 1 + ${retry.maxRetries}`);
    }
    if (this.#inFlight >= maxConcurrency) {
      broken(
        "concurrency_exceeded",
        `${name} is dispatched while ${this.#inFlight} of ${maxConcurrency} are in flight`,
      );
    }
    if (this.#failed && onFailure === "stop") {
      broken("after_failure", `${name} is dispatched after an action that did not succeed`);
    }
    if (idempotency.enabled && !action.claimed) broken("unclaimed", `${name} is dispatched without a claim of its key`);
    const elapsedMs = event.atMs - this.#startedAtMs;
    const leftMs = timeout.maxTotalTimeMs - elapsedMs;
    if (leftMs <= 0) {
      broken("after_deadline", `${name} is dispatched after ${elapsedMs} of ${timeout.maxTotalTimeMs} ms`);
    } else if (limitMs > Math.min(timeout.attemptTimeoutMs, leftMs) + ROUNDING_MS) {
      broken("limit_exceeded", `${name} is given ${limitMs} ms, more than the policy allows it`);
    }
    for (const { limit, windowMs } of this.#rates.note(rateLimit, action.kind, elapsedMs)) {
      broken("rate_exceeded", `${name} is more than the ${limit} dispatches allowed in ${windowMs} ms`);
    }
  }
}
