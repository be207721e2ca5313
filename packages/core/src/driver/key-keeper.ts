import { checkJson } from "@eoc/decision-schema/read";
import { deepFreezeCopy } from "../frozen-copy.js";
import { deriveKey, fingerprintOf } from "../idempotency/key.js";
import type { Command } from "../machine/commands.js";
import type { ClaimAnswer } from "../machine/inputs.js";
import type { IdempotencyRecord } from "../ports/idempotency-store.js";
import { Alarm } from "./alarm.js";
import type { Driver } from "./driver.js";
import { member } from "./port-desks.js";
import { callUnheard, isThenable, type PortAnswer } from "./ports-guard.js";

type Token = string | number;

/** A claim that is held: its lease is renewed at every third of it, until the outcome is to be written (S7.3). */
export class Claim extends Alarm {
  readonly token: Token;
  readonly #driver: Driver;
  readonly #key: string;
  /** Until then it is held by all that is known here: a lease begins no earlier than it was asked for. */
  heldUntil: number;

  /** @param askedAt when it was asked for */
  constructor(driver: Driver, key: string, token: Token, askedAt: number) {
    super();
    this.#driver = driver;
    this.#key = key;
    this.token = token;
    this.heldUntil = askedAt + this.#leaseMs;
  }

  get #leaseMs(): number {
    return this.#driver.machine.policy.idempotency.leaseMs;
  }

  renewLater(): void {
    this.#driver.awaitOutside();
    this.set(this.#driver, this.#driver.elapsed() + this.#leaseMs / 3);
  }

  callback(): void {
    const { changes } = this;
    this.#driver.postOutside(() => {
      if (this.changes !== changes) return; // Ended in the meantime.
      this.spend();
      this.#renew();
      this.renewLater();
    });
  }

  /** One that fails, or is never answered, shows before the next dispatch: nobody knows of a lease then. */
  #renew(): void {
    const until = this.#driver.elapsed() + this.#leaseMs;
    const renewed = (answer: unknown) => {
      if (answer !== false) this.heldUntil = until;
    };
    callUnheard(() => {
      const answer: unknown = this.#driver.options.idempotencyStore!.renew(this.#key, this.token, this.#leaseMs);
      return isThenable(answer) ? Promise.resolve(answer).then(renewed) : renewed(answer);
    });
  }

  end(): void {
    this.clear(this.#driver);
  }

  /** Nothing was dispatched under it. */
  giveBack(inDoubt: boolean): void {
    this.end();
    handBack(this.#driver, this.#key, this.token, inDoubt);
  }
}

/** Makes keys, claims them and writes what became of them (S7). */
export function keepKey(
  driver: Driver,
  command: Command & { type: "derive_key" | "claim_key" | "start_key" | "record_key" },
): void {
  switch (command.type) {
    case "derive_key":
      return derive(driver, command.action);
    case "claim_key":
      return claim(driver, command);
    case "start_key":
      return start(driver, command);
    default:
      return write(driver, command);
  }
}

function derive(driver: Driver, action: number): void {
  const { machine, context } = driver;
  const planned = machine.plan.actions[action]!;
  const { keyGenerator } = machine.policy.idempotency;
  let key: unknown;
  try {
    if (typeof keyGenerator === "function") key = keyGenerator(planned, context);
    else key = deriveKey(planned, context);
  } catch {
    // No key.
  }
  const usable = typeof key === "string" && key !== "" && key.length <= 512;
  driver.post({ type: "key_derived", action, ...(usable ? { key: key as string } : undefined) });
}

function claim(driver: Driver, { action, limitAt, takeOver }: Command & { type: "claim_key" }): void {
  const { machine, clock } = driver;
  const store = driver.options.idempotencyStore!;
  const key = machine.actions[action]!.key!;
  const { leaseMs } = machine.policy.idempotency;
  const { at } = machine;
  driver.ask(
    () =>
      store.claim(key, {
        fingerprint: fingerprintOf(machine.plan.actions[action]!),
        leaseMs,
        nowMs: clock.now(),
        ...(takeOver ? { takeOver } : undefined),
      }) as unknown,
    limitAt,
    (result) => ({ type: "claim", action, verdict: judge(driver, action, key, at, result) }),
    (late) => {
      // Claimed after all, for nobody: given back, else it would be in the way until its lease ends.
      if (member(late, "state") !== "claimed") return;
      handBack(driver, key, member(late, "token") as Token, takeOver);
    },
  );
}

function handBack({ options }: Driver, key: string, token: Token, inDoubt: boolean): void {
  const store = options.idempotencyStore!;
  callUnheard(() => (inDoubt ? store.markUnknown(key, token) : store.release(key, token)));
}

function judge(driver: Driver, action: number, key: string, at: number, result: PortAnswer<unknown>): ClaimAnswer {
  const answer = result.ok ? result.value : undefined;
  const state = member(answer, "state");
  switch (state) {
    case "claimed": {
      const token = member(answer, "token");
      if (typeof token !== "string" && typeof token !== "number") return { state: "unavailable" };
      const held = new Claim(driver, key, token, at);
      driver.track(action).claim = held;
      held.renewLater();
      return { state, token };
    }
    case "completed": {
      driver.hold(action, answer);
      return member(answer, "valueOmitted") === true ? { state, valueOmitted: true } : { state };
    }
    case "in_progress":
    case "conflict":
    case "unknown":
      return { state };
    default:
      return { state: "unavailable" };
  }
}

function start(driver: Driver, { action, limitAt }: Command & { type: "start_key" }): void {
  const store = driver.options.idempotencyStore!;
  const { machine } = driver;
  const key = machine.actions[action]!.key!;
  const claim = driver.track(action).claim!;
  const { token } = claim;
  driver.ask(
    () =>
      (store.start === undefined
        ? store.renew(key, token, machine.policy.idempotency.leaseMs)
        : store.start(key, token)) as unknown,
    limitAt,
    (result) => {
      const verdict = !result.ok ? "unavailable" : result.value === false ? "stale" : "done";
      return { type: "key_started", action, verdict, heldUntil: claim.heldUntil };
    },
  );
}

function write(driver: Driver, { action, outcome, limitAt }: Command & { type: "record_key" }): void {
  const store = driver.options.idempotencyStore!;
  const key = driver.machine.actions[action]!.key!;
  const held = driver.track(action).claim!;
  held.end();
  const tell = () => {
    if (outcome === "complete") return store.complete(key, held.token, record(driver, action));
    return outcome === "release" ? store.release(key, held.token) : store.markUnknown(key, held.token);
  };
  driver.ask(
    () => tell() as unknown,
    limitAt,
    (result) => ({ type: "recorded", action, ok: result.ok && result.value !== false }),
  );
}

/** What is stored of a success: its value where that survives JSON (S7.5). */
function record(driver: Driver, action: number): IdempotencyRecord {
  const { ttlMs } = driver.machine.policy.idempotency;
  const held = driver.held(action);
  if (held === undefined) return { ttlMs };
  if (checkJson(held.value).length > 0) return { ttlMs, valueOmitted: true };
  return { ttlMs, value: deepFreezeCopy(held.value) };
}
