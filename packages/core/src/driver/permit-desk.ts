import { PermitLine, type Ticket } from "../local/permit-line.js";
import type { Command } from "../machine/commands.js";
import type { PermitAnswer } from "../machine/inputs.js";
import { rateRequests } from "../policy/rate-requests.js";
import type { RateLimiter, RateRequest, RateVerdict } from "../ports/rate-limiter.js";
import type { Driver } from "./driver.js";
import { isDuration, member } from "./port-desks.js";
import { callUnheard, type PortAnswer } from "./ports-guard.js";

/** All who wait for permits of a limiter stand in one line, whichever execution they belong to (S6.4). */
const lines = new WeakMap<RateLimiter, PermitLine>();

function lineOf(limiter: RateLimiter): PermitLine {
  const line = lines.get(limiter) ?? new PermitLine();
  lines.set(limiter, line);
  return line;
}

function keysOf(requests: readonly RateRequest[]): string[] {
  return requests.map(({ key }) => key);
}

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
    const requests = this.#requests(action);
    const before = lines.get(limiter)?.before(keysOf(requests), this.#tickets.get(action));
    if (before !== undefined) {
      const retryAfterMs = Math.max(0, before.dueAt - driver.clock.monotonic());
      return driver.post({ type: "permit", action, verdict: { state: "behind", retryAfterMs } });
    }
    driver.ask(
      () => limiter.acquire(requests, driver.clock.monotonic()) as unknown,
      limitAt,
      (result) => ({ type: "permit", action, verdict: this.#judge(action, result) }),
      cancelPermit,
    );
  }

  #requests(action: number): readonly RateRequest[] {
    const { policy, plan } = this.#driver.machine;
    return rateRequests(policy, plan.actions[action]!.action);
  }

  #judge(action: number, result: PortAnswer<unknown>): PermitAnswer {
    const granted = result.ok ? member(result.value, "granted") : undefined;
    const retryAfterMs = result.ok ? member(result.value, "retryAfterMs") : undefined;
    if (granted === false && isDuration(retryAfterMs)) return { state: "refused", retryAfterMs };
    if (!result.ok || granted !== true) return { state: "unavailable" };
    this.#held.set(action, result.value as RateVerdict & { granted: true });
    return { state: "granted" };
  }

  /** Keeps the place in line that the action has, or gives it one. The wait has a timer, so that news may come from outside. */
  joinLine({ action, at, behind }: Command & { type: "join_line" }): void {
    const driver = this.#driver;
    let ticket = this.#tickets.get(action);
    if (ticket === undefined) {
      ticket = lineOf(driver.options.rateLimiter!).join(keysOf(this.#requests(action)));
      this.#tickets.set(action, ticket);
    }
    ticket.dueAt = driver.startedAt + at;
    if (!behind) return ticket.refused();
    ticket.await(() =>
      driver.postTurn(() => {
        // Who has left the line meanwhile has no turn any more.
        if (this.#tickets.get(action) === ticket) driver.post({ type: "permit_turn", action });
      }),
    );
  }

  leaveLine({ action, granted }: Command & { type: "leave_line" }): void {
    this.#tickets.get(action)?.leave(granted);
    this.#tickets.delete(action);
  }

  close(): void {
    for (const permit of this.#held.values()) cancelPermit(permit);
    this.#held.clear();
    for (const ticket of this.#tickets.values()) ticket.leave(false);
    this.#tickets.clear();
  }

  /** The dispatch starts now (S6.1). */
  dispatched(action: number): void {
    const permit = this.#held.get(action);
    if (permit === undefined) return;
    this.#held.delete(action);
    // A stamp that fails leaves the grant, which counts from when it was given: never too little.
    callUnheard(() => permit.dispatched?.(this.#now()));
  }

  /** The time of the dispatch, by the news that led to it where the clock fails. */
  #now(): number {
    const { clock, startedAt, machine } = this.#driver;
    try {
      return clock.monotonic();
    } catch {
      return startedAt + machine.at;
    }
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
