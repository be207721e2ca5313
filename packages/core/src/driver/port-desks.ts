import type { Command } from "../machine/commands.js";
import type { GateAnswer } from "../machine/inputs.js";
import { safeCode } from "../machine/outcome.js";
import type { Driver } from "./driver.js";
import type { EventSink } from "./event-sink.js";
import { callUnheard, type PortAnswer } from "./ports-guard.js";

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
      const { claim } = driver.track(action);
      return { type: "switch", action, verdict, ...(claim && { heldUntil: claim.heldUntil }) };
    },
    // Too late for this action; the others need not ask to know.
    (late) => {
      if (member(late, "halted") === true) driver.halt("kill_switch");
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

/** Shows an intent and waits until it is durable: at once, or when the journal says so. */
export function intend(
  driver: Driver,
  events: EventSink,
  { action, event, limitAt }: Command & { type: "intend" },
): void {
  driver.ask(
    () => {
      let durable: boolean | undefined;
      let answer: ((ok: boolean) => void) | undefined;
      events.push(event, (ok) => {
        durable = ok;
        answer?.(ok);
      });
      if (durable !== undefined) return durable;
      return new Promise<boolean>((resolve) => {
        answer = resolve;
      });
    },
    limitAt,
    (result) => ({ type: "intent", action, ok: result.ok && result.value }),
  );
}

export function takeRetry(driver: Driver, action: number): void {
  let verdict: "granted" | "exhausted" | "unavailable" = "unavailable";
  try {
    const taken: unknown = driver.options.retryBudget!.tryTake();
    if (typeof taken === "boolean") verdict = taken ? "granted" : "exhausted";
    else callUnheard(() => taken); // It may be a promise, which nobody waits for.
  } catch {
    // Unavailable.
  }
  driver.post({ type: "retry_budget", action, verdict });
}

export function refillRetries(driver: Driver): void {
  // A budget that is not refilled only makes for fewer retries.
  callUnheard(() => driver.options.retryBudget!.succeeded());
}

/** An action that stands in the queue of a bulkhead. */
interface Queued {
  leaveQueue?: () => void;
  owned: boolean;
}

/** The slots of a bulkhead that this execution holds or waits for. */
export class SharedSlots {
  readonly #driver: Driver;
  #waiting: Map<number, Queued> | undefined;
  #owned = 0;

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  carryOut({ type, action }: Command & { type: "enter_bulkhead" | "abandon_bulkhead" | "leave_bulkhead" }): void {
    if (type === "enter_bulkhead") this.#enter(action);
    else if (type === "abandon_bulkhead") this.#abandon(action);
    else this.#leave();
  }

  #enter(action: number): void {
    const driver = this.#driver;
    let verdict: "entered" | "full" | "unavailable" = "unavailable";
    try {
      if (driver.options.bulkhead!.tryEnter() === true) {
        verdict = "entered";
        this.#owned++;
      } else if (this.#queue(action)) return;
      else verdict = "full";
    } catch {
      // Unavailable.
    }
    driver.post({ type: "bulkhead", action, verdict });
  }

  /** False when the queue is full. */
  #queue(action: number): boolean {
    const driver = this.#driver;
    const place: Queued = { owned: false };
    driver.awaitOutside();
    const leaveQueue = driver.options.bulkhead!.queue(() => {
      place.owned = true;
      this.#owned++;
      driver.postOutside(() => {
        if (this.#waiting?.get(action) !== place) return; // Abandoned meanwhile, and given back.
        this.#waiting.delete(action);
        driver.post({ type: "bulkhead", action, verdict: "entered" });
      });
    });
    if (leaveQueue === undefined) return false;
    place.leaveQueue = leaveQueue;
    this.#waiting ??= new Map();
    this.#waiting.set(action, place);
    driver.post(() => {
      // The slot may have been handed over before there was time to say that it has to be waited for.
      if (this.#waiting?.get(action) === place) driver.post({ type: "bulkhead", action, verdict: "queued" });
    });
    return true;
  }

  #abandon(action: number): void {
    const place = this.#waiting?.get(action);
    if (place === undefined) return;
    this.#waiting!.delete(action);
    if (place.owned) this.#leave();
    else callUnheard(place.leaveQueue);
  }

  /** Gives back all but so many, of an execution that takes no news any more. */
  close(kept: number): void {
    for (const action of [...(this.#waiting?.keys() ?? [])]) this.#abandon(action);
    while (this.#owned > kept) this.#leave();
  }

  #leave(): void {
    this.#owned--;
    callUnheard(() => this.#driver.options.bulkhead!.leave());
  }
}

export function isDuration(value: unknown): value is number {
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
