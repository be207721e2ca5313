import { checkJson } from "@eoc/decision-schema/read";
import { deepFreezeCopy } from "../frozen-copy.js";
import { deriveKey, fingerprintOf } from "../idempotency/key.js";
import type { Command } from "../machine/commands.js";
import type { ClaimAnswer } from "../machine/inputs.js";
import type { IdempotencyRecord } from "../ports/idempotency-store.js";
import type { Driver } from "./driver.js";
import { member } from "./port-desks.js";
import { callUnheard, type PortAnswer } from "./ports-guard.js";

type Token = string | number;

/** Keeps the claims of this execution: makes keys, holds fencing tokens, renews leases, writes outcomes (S7). */
export class KeyKeeper {
  readonly #driver: Driver;
  readonly #claims = new Map<number, { token: Token; stopRenewing?: () => void }>();

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  carryOut(command: Command & { type: "derive_key" | "claim_key" | "start_key" | "record_key" }): void {
    switch (command.type) {
      case "derive_key":
        return this.#derive(command.action);
      case "claim_key":
        return this.#claim(command);
      case "start_key":
        return this.#start(command);
      default:
        return this.#write(command);
    }
  }

  #derive(action: number): void {
    const { machine, context } = this.#driver;
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
    this.#driver.post({ type: "key_derived", action, ...(usable ? { key: key as string } : undefined) });
  }

  #claim({ action, limitAt, takeOver }: Command & { type: "claim_key" }): void {
    const { machine, clock } = this.#driver;
    const store = this.#driver.options.idempotencyStore!;
    const key = machine.actions[action]!.key!;
    const { leaseMs } = machine.policy.idempotency;
    this.#driver.ask(
      () =>
        store.claim(key, {
          fingerprint: fingerprintOf(machine.plan.actions[action]!),
          leaseMs,
          nowMs: clock.now(),
          ...(takeOver ? { takeOver } : undefined),
        }) as unknown,
      limitAt,
      (result) => ({ type: "claim", action, verdict: this.#judge(action, key, result) }),
      (late) => {
        // Claimed after all, for nobody: given back, else it would be in the way until its lease ends.
        if (member(late, "state") !== "claimed") return;
        const token = member(late, "token") as Token;
        callUnheard(() => (takeOver ? store.markUnknown(key, token) : store.release(key, token)));
      },
    );
  }

  #judge(action: number, key: string, result: PortAnswer<unknown>): ClaimAnswer {
    const answer = result.ok ? result.value : undefined;
    const state = member(answer, "state");
    switch (state) {
      case "claimed": {
        const token = member(answer, "token");
        if (typeof token !== "string" && typeof token !== "number") return { state: "unavailable" };
        this.#claims.set(action, { token });
        this.#renewLater(action, key);
        return { state, token };
      }
      case "completed": {
        this.#driver.hold(action, answer);
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

  /** Renews the lease at every third of it, as long as the outcome is not written (S7.3). */
  #renewLater(action: number, key: string): void {
    const driver = this.#driver;
    const { leaseMs } = driver.machine.policy.idempotency;
    const claim = this.#claims.get(action);
    if (claim === undefined) return;
    driver.awaitOutside();
    claim.stopRenewing = driver.clock.setTimer(() => {
      driver.postOutside(() => {
        if (this.#claims.get(action) !== claim) return;
        // A lease that could not be renewed shows when the outcome is written: its token is stale by then.
        callUnheard(() => driver.options.idempotencyStore!.renew(key, claim.token, leaseMs));
        this.#renewLater(action, key);
      });
    }, leaseMs / 3);
  }

  #start({ action, limitAt }: Command & { type: "start_key" }): void {
    const store = this.#driver.options.idempotencyStore!;
    const key = this.#driver.machine.actions[action]!.key!;
    this.#driver.ask(
      () => store.start!(key, this.#claims.get(action)!.token) as unknown,
      limitAt,
      (result) => {
        const verdict = !result.ok ? "unavailable" : result.value === false ? "stale" : "done";
        return { type: "key_started", action, verdict };
      },
    );
  }

  #write({ action, outcome, limitAt }: Command & { type: "record_key" }): void {
    const store = this.#driver.options.idempotencyStore!;
    const key = this.#driver.machine.actions[action]!.key!;
    const claim = this.#claims.get(action)!;
    claim.stopRenewing?.();
    const write = () => {
      if (outcome === "complete") return store.complete(key, claim.token, this.#record(action));
      return outcome === "release" ? store.release(key, claim.token) : store.markUnknown(key, claim.token);
    };
    this.#driver.ask(
      () => write() as unknown,
      limitAt,
      (result) => ({ type: "recorded", action, ok: result.ok && result.value !== false }),
    );
  }

  /** What is stored of a success: its value where that survives JSON (S7.5). */
  #record(action: number): IdempotencyRecord {
    const { ttlMs } = this.#driver.machine.policy.idempotency;
    const held = this.#driver.held(action);
    if (held === undefined) return { ttlMs };
    if (checkJson(held.value).length > 0) return { ttlMs, valueOmitted: true };
    return { ttlMs, value: deepFreezeCopy(held.value) };
  }
}
