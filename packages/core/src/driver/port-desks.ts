import type { Command } from "../machine/commands.js";
import type { GateAnswer, PermitAnswer } from "../machine/inputs.js";
import { safeCode } from "../machine/outcome.js";
import { rateRequests } from "../policy/rate-requests.js";
import type { RateRequest, RateVerdict } from "../ports/rate-limiter.js";
import type { Driver } from "./driver.js";
import type { PortAnswer } from "./ports-guard.js";
import { joinLine, type Ticket, whoIsBefore } from "./rate-line.js";

/** Reads the kill switch; whatever is not one of its two states is `unavailable` (S2.3). */
export function readSwitch(
  driver: Driver,
  { action, limitAt }: Command & { type: "read_switch" },
  broken: boolean,
): void {
  driver.ask(
    () => driver.options.killSwitch!.read() as unknown,
    limitAt,
    (result) => {
      const halted = result.ok && !broken ? member(result.value, "halted") : undefined;
      const verdict = halted === true ? "halted" : halted === false ? "open" : "unavailable";
      return { type: "switch", action, verdict };
    },
  );
}

/** Asks the gates in order, each only when those before it allow; together they have one limit. */
export function askGates(driver: Driver, { action, attempt, limitAt }: Command & { type: "ask_gates" }): void {
  const gates = driver.options.gates!;
  const info = { executionId: driver.machine.facts.executionId, actionIndex: action, attempt };
  const planned = driver.machine.plan.actions[action]!;
  const ask = (index: number): void => {
    const gate = gates[index];
    if (gate === undefined) return driver.post({ type: "gates", action, verdict: { state: "allowed" } });
    driver.ask(
      () => gate(planned, info) as unknown,
      limitAt,
      (result) => {
        const verdict = gateAnswer(result);
        if (verdict.state !== "allowed" || index === gates.length - 1) return { type: "gates", action, verdict };
        ask(index + 1);
        return undefined;
      },
    );
  };
  ask(0);
}

function gateAnswer(result: PortAnswer<unknown>): GateAnswer {
  const allow = result.ok ? member(result.value, "allow") : undefined;
  if (allow === true) return { state: "allowed" };
  if (allow !== false || !result.ok) return { state: "unavailable" };
  const code = safeCode(member(result.value, "code"));
  const retryAfterMs = member(result.value, "retryAfterMs");
  return isDuration(retryAfterMs) ? { state: "denied", code, retryAfterMs } : { state: "denied", code };
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
    try {
      permit.dispatched?.(this.#driver.clock.monotonic());
    } catch {
      // The grant counts from when it was given: never too little.
    }
  }

  cancel(action: number): void {
    const permit = this.#held.get(action);
    this.#held.delete(action);
    cancelPermit(permit);
  }
}

function cancelPermit(verdict: unknown): void {
  try {
    (verdict as { cancel?: () => void } | undefined)?.cancel?.();
  } catch {
    // The permit stays taken: never too many dispatches.
  }
}

/** The slots of a bulkhead that this execution holds or waits for. */
export class SharedSlots {
  readonly #driver: Driver;
  readonly #waiting = new Map<number, { leaveQueue?: () => void; owned: boolean }>();

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  enter(action: number): void {
    const bulkhead = this.#driver.options.bulkhead!;
    let verdict: "entered" | "queued" | "full" | "unavailable" = "unavailable";
    try {
      if (bulkhead.tryEnter() === true) verdict = "entered";
      else verdict = this.#queue(action) ? "queued" : "full";
    } catch {
      // Unavailable.
    }
    this.#driver.post({ type: "bulkhead", action, verdict });
  }

  #queue(action: number): boolean {
    const driver = this.#driver;
    const place: { leaveQueue?: () => void; owned: boolean } = { owned: false };
    driver.awaitOutside();
    const leaveQueue = driver.options.bulkhead!.queue(() => {
      place.owned = true;
      driver.postOutside(() => {
        if (this.#waiting.get(action) !== place) return; // Abandoned meanwhile, and given back.
        this.#waiting.delete(action);
        driver.post({ type: "bulkhead", action, verdict: "entered" });
      });
    });
    if (leaveQueue === undefined) return false;
    place.leaveQueue = leaveQueue;
    this.#waiting.set(action, place);
    return true;
  }

  abandon(action: number): void {
    const place = this.#waiting.get(action);
    if (place === undefined) return;
    this.#waiting.delete(action);
    if (place.owned) this.leave();
    else guard(place.leaveQueue);
  }

  leave(): void {
    guard(() => this.#driver.options.bulkhead!.leave());
  }
}

function guard(call: (() => void) | undefined): void {
  try {
    call?.();
  } catch {
    // Somebody else's bookkeeping.
  }
}

function isDuration(value: unknown): value is number {
  return typeof value === "number" && value >= 0;
}

/** A member of something that a port answered; undefined where it has none or throws. */
export function member(value: unknown, name: string): unknown {
  try {
    return (value as Record<string, unknown> | null | undefined)?.[name];
  } catch {
    return undefined;
  }
}
