import type { Command } from "../machine/commands.js";
import type { PermitAnswer } from "../machine/inputs.js";
import { rateRequests } from "../policy/rate-requests.js";
import type { RateRequest, RateVerdict } from "../ports/rate-limiter.js";
import type { Driver } from "./driver.js";
import { isDuration, member } from "./port-desks.js";
import { callUnheard, type PortAnswer } from "./ports-guard.js";
import { joinLine, type Ticket, whoIsBefore } from "./rate-line.js";

/** The permits that the rate limiter has granted and that are not stamped yet, and the places in its line. */
export class PermitDesk {
  readonly #driver: Driver;
  readonly #held = new Map<number, RateVerdict & { granted: true }>();
  readonly #tickets = new Map<number, Ticket>();

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  acquire({ action, limitAt }: Command & { type: "acquire_permit" }): void {
    const driver = this.#driver;
    const limiter = driver.options.rateLimiter!;
    const requests = rateRequests(driver.machine.policy, driver.machine.plan.actions[action]!.action);
    const before = whoIsBefore(limiter, requests, this.#tickets.get(action));
    if (before !== undefined) {
      return driver.post({ type: "permit", action, verdict: this.#refuse(action, requests, before.dueMs) });
    }
    driver.ask(
      () => limiter.acquire(requests, driver.clock.monotonic()) as unknown,
      limitAt,
      (result) => ({ type: "permit", action, verdict: this.#judge(action, requests, result) }),
      cancelPermit,
    );
  }

  #judge(action: number, requests: readonly RateRequest[], result: PortAnswer<unknown>): PermitAnswer {
    const granted = result.ok ? member(result.value, "granted") : undefined;
    const retryAfterMs = result.ok ? member(result.value, "retryAfterMs") : undefined;
    if (granted === false && isDuration(retryAfterMs)) {
      return this.#refuse(action, requests, this.#driver.clock.monotonic() + retryAfterMs);
    }
    this.stopWaiting(action);
    if (!result.ok || granted !== true) return { state: "unavailable" };
    this.#held.set(action, result.value as RateVerdict & { granted: true });
    return { state: "granted" };
  }

  /** Refuses for now; who is going to wait keeps the place that he has or gets one. */
  #refuse(action: number, requests: readonly RateRequest[], dueMs: number): PermitAnswer {
    const { machine, clock, options } = this.#driver;
    const ticket = this.#tickets.get(action);
    if (ticket !== undefined) ticket.dueMs = dueMs;
    else if (machine.policy.rateLimit.onExceeded === "wait") {
      const isAlive = () => machine.actions[action]!.row === undefined;
      this.#tickets.set(action, joinLine(options.rateLimiter!, requests, dueMs, isAlive));
    }
    return { state: "refused", retryAfterMs: Math.max(0, dueMs - clock.monotonic()) };
  }

  /** The action waits for something else, or for nothing any more. */
  stopWaiting(action: number): void {
    this.#tickets.get(action)?.leave();
    this.#tickets.delete(action);
  }

  close(): void {
    for (const ticket of this.#tickets.values()) ticket.leave();
    this.#tickets.clear();
  }

  /** The dispatch starts now (S6.1). */
  dispatched(action: number): void {
    const permit = this.#held.get(action);
    if (permit === undefined) return;
    this.#held.delete(action);
    // A stamp that fails leaves the grant, which counts from when it was given: never too little.
    callUnheard(() => permit.dispatched?.(this.#driver.clock.monotonic()));
  }

  cancel(action: number): void {
    const permit = this.#held.get(action);
    this.#held.delete(action);
    cancelPermit(permit);
  }
}

/** A permit that cannot be handed back stays taken: never too many dispatches. */
function cancelPermit(verdict: unknown): void {
  callUnheard(() => (verdict as { cancel?: () => void } | undefined)?.cancel?.());
}
