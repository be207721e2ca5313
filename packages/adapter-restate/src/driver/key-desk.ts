import type { ActionState, Command } from "@eoc/core/machine";
import { attempt } from "../live/limited.js";
import { registry } from "../live/registry.js";
import type { EngineRecord } from "./engine-record.js";
import {
  claimKey,
  confirmKey,
  derivedKey,
  type HeldClaim,
  type PortResult,
  recordKey,
  startKey,
} from "./port-steps.js";
import type { Shop } from "./shop.js";
import type { Track } from "./track.js";

/** The keys of the actions: made, claimed, kept and written (S7). */
export class KeyDesk {
  readonly #shop: Shop;
  readonly #record: EngineRecord;
  readonly #tracks: readonly Track[];
  /** Until when a claim has been made to last, by action. */
  readonly #lasts = new Map<number, number>();
  /** When this process claimed or renewed, by action, on its monotonic clock. */
  readonly #leasedAt = new Map<number, number>();
  /** The same of what the store has confirmed. */
  readonly #heldFrom = new Map<number, number>();

  constructor(shop: Shop, record: EngineRecord, tracks: readonly Track[]) {
    this.#shop = shop;
    this.#record = record;
    this.#tracks = tracks;
  }

  async carryOut(command: Command & { type: "derive_key" | "claim_key" | "start_key" | "record_key" }): Promise<void> {
    const { action } = command;
    const track = this.#tracks[action]!;
    switch (command.type) {
      case "derive_key":
        return this.#derive(action);
      case "claim_key": {
        const { news, held } = await this.#step(command, async () => {
          const askedAt = this.#shop.clock.monotonic();
          this.#leasedAt.set(action, askedAt);
          const claimed = await claimKey(this.#shop, command);
          this.#heldFrom.set(action, askedAt);
          return claimed;
        });
        if (news.type === "claim" && news.verdict.state === "claimed") track.token = news.verdict.token;
        if (held !== undefined) track.held = held;
        return;
      }
      case "start_key":
        await this.#step(command, () => startKey(this.#shop, command, this.#claimOf(action)));
        return;
      default:
        await this.#step(command, () => recordKey(this.#shop, command, track.token!, this.#valueOf(track)));
    }
  }

  async #step(command: Command & { action: number }, work: () => Promise<PortResult>): Promise<PortResult> {
    const result = await this.#record.step(`${command.type} ${command.action}`, () => this.renewing(work));
    this.#record.news(result.news, result.at);
    return result;
  }

  /** What a function of the policy's gives may be another thing the next time; the default is the same every time. */
  async #derive(action: number): Promise<void> {
    const { machine } = this.#shop;
    const derive = async () => ({ at: this.#shop.now(), news: derivedKey(this.#shop, action) });
    if (typeof machine.policy.idempotency.keyGenerator === "function") {
      await this.#step({ type: "derive_key", action }, derive);
    } else this.#record.news(derivedKey(this.#shop, action), machine.at);
  }

  /** What the executor gave, where this process knows it or it is on record. */
  #valueOf({ nonce, held }: Track): { known: unknown } | undefined {
    const outcome = registry.effect(nonce)?.outcome;
    if (outcome?.settlement.kind === "applied") return { known: outcome.value };
    return held && { known: held.json };
  }

  /**
   * Keeps the leases alive while an executor is waited for, or reconcile: each is renewed when a third of it is over, also
   * where that has passed between many short waits (S7.3).
   */
  async renewing<T>(work: () => Promise<T>): Promise<T> {
    const { machine, clock } = this.#shop;
    const { leaseMs, enabled } = machine.policy.idempotency;
    if (!enabled) return work();
    let cancel = () => {};
    const later = () => {
      cancel = clock.setTimer(
        () => {
          if (this.#dueInMs() <= 0) this.#renew();
          later();
        },
        Math.max(0, Math.min(this.#dueInMs(), leaseMs / 3)),
      );
    };
    later();
    try {
      return await work();
    } finally {
      cancel();
    }
  }

  /** Until the first of the claims has to be renewed. Those of another process's are due at once. */
  #dueInMs(): number {
    const { machine, clock } = this.#shop;
    const oldest = this.#held().map(({ index }) => this.#leasedAt.get(index) ?? Number.NEGATIVE_INFINITY);
    return Math.min(...oldest) + machine.policy.idempotency.leaseMs / 3 - clock.monotonic();
  }

  /** Actions that hold the claim of their key. */
  #held(): readonly ActionState[] {
    return this.#shop.machine.actions.filter(({ claimed, row }) => claimed && row === undefined);
  }

  /** Before a wait that may outlast this process: the leases are made to outlast it too. True where a step was taken. */
  async renewUntil(at: number): Promise<boolean> {
    const short = this.#held().filter(({ index }) => (this.#lasts.get(index) ?? 0) < at);
    if (short.length === 0) return false;
    for (const { index } of short) this.#lasts.set(index, at);
    await this.#record.step("rest", async () => {
      this.#renew();
      return {};
    });
    return true;
  }

  /** A lease that could not be renewed shows when the outcome is written: its token is stale by then. */
  #renew(): void {
    const { ports, clock } = this.#shop;
    for (const { index, key } of this.#held()) {
      this.#leasedAt.set(index, clock.monotonic());
      if (this.#tracks[index]!.token === undefined) continue;
      const { token, leaseMs } = this.#claimOf(index);
      attempt(() => this.#renewOne(index, () => ports.idempotencyStore!.renew(key!, token, leaseMs)));
    }
  }

  /** What was made to outlast a rest is not made shorter. */
  #claimOf(action: number): HeldClaim {
    const rest = Math.max(0, (this.#lasts.get(action) ?? 0) - this.#shop.now());
    return { token: this.#tracks[action]!.token!, leaseMs: this.#shop.machine.policy.idempotency.leaseMs + rest };
  }

  async #renewOne(action: number, renew: () => unknown): Promise<void> {
    const askedAt = this.#shop.clock.monotonic();
    if ((await renew()) !== false) this.#heldFrom.set(action, askedAt);
  }

  /** Whether an action that has claimed its key is known to hold it, or has none: for one lease from when the store confirmed it. */
  isHeld(action: number): boolean {
    if (!this.#held().some(({ index }) => index === action)) return true;
    const from = this.#heldFrom.get(action) ?? Number.NEGATIVE_INFINITY;
    return this.#shop.clock.monotonic() < from + this.#shop.machine.policy.idempotency.leaseMs;
  }

  /**
   * Asks the store, right before a dispatch, where this process does not know: it may have stood still for longer than a lease, or
   * have taken the action over from another one (S7.3).
   */
  async confirmHeld(action: number): Promise<void> {
    if (this.isHeld(action)) return;
    const { machine, clock } = this.#shop;
    const askedAt = clock.monotonic();
    const limitAt = machine.at + machine.policy.timeout.portTimeoutMs;
    if (await confirmKey(this.#shop, { action, limitAt }, this.#claimOf(action))) this.#heldFrom.set(action, askedAt);
  }
}
