import { type Command, type Input, rateRequests } from "@eoc/core/machine";
import { attempt } from "../live/limited.js";
import { registry } from "../live/registry.js";
import type { EngineRecord } from "./engine-record.js";
import type { KeyDesk } from "./key-desk.js";
import { acquirePermit } from "./port-steps.js";
import type { Shop } from "./shop.js";
import type { Track } from "./track.js";

/** A place in the line for permits. All of it comes from the record. */
interface Ticket {
  readonly keys: readonly string[];
  readonly dueAt: number;
}

/** The permits of the dispatches, and the line of those of this execution that wait for one (S6.3). */
export class PermitDesk {
  readonly #shop: Shop;
  readonly #record: EngineRecord;
  readonly #keys: KeyDesk;
  readonly #tracks: readonly Track[];
  /** Longest first. */
  readonly #line = new Map<number, Ticket>();
  /** The keys of those whose answer is on record and not fed yet. */
  readonly #asked = new Map<number, readonly string[]>();

  constructor(shop: Shop, record: EngineRecord, keys: KeyDesk, tracks: readonly Track[]) {
    this.#shop = shop;
    this.#record = record;
    this.#keys = keys;
    this.#tracks = tracks;
  }

  async acquire(command: Command & { type: "acquire_permit" }): Promise<void> {
    const { machine } = this.#shop;
    const { action } = command;
    const keys = rateRequests(machine.policy, machine.plan.actions[action]!.action).map(({ key }) => key);
    const dueAt = this.#dueBefore(action, keys);
    if (dueAt !== undefined) {
      this.#join(action, { keys, dueAt });
      const verdict = { state: "refused", retryAfterMs: Math.max(0, dueAt - machine.at) } as const;
      return this.#record.news({ type: "permit", action, verdict }, machine.at);
    }
    const asked = () => this.#keys.renewing(() => acquirePermit(this.#shop, command));
    const { news, at, permit } = await this.#record.step(`acquire_permit ${action}`, asked);
    this.#record.news(news, at);
    this.#asked.set(action, keys);
    if (permit !== undefined) this.#tracks[action]!.permit = permit;
  }

  /** The machine is about to hear what the limiter said: whoever is refused joins the line now, as in one process. */
  answered({ action, verdict, at }: Input & { type: "permit" }): void {
    const keys = this.#asked.get(action);
    this.#asked.delete(action);
    if (keys === undefined) return;
    if (verdict.state === "refused") this.#join(action, { keys, dueAt: at + verdict.retryAfterMs });
    else this.stopWaiting(action);
  }

  /** When it is worth asking again for the one who has to be served before. */
  #dueBefore(action: number, keys: readonly string[]): number | undefined {
    for (const key of keys) {
      for (const [waiting, ticket] of this.#line) {
        if (!ticket.keys.includes(key) || this.#shop.machine.actions[waiting]!.row !== undefined) continue;
        if (waiting === action) break;
        return ticket.dueAt;
      }
    }
    return undefined;
  }

  /** Keeps the place that the action has, or gives it one. */
  #join(action: number, ticket: Ticket): void {
    if (this.#shop.machine.policy.rateLimit.onExceeded === "wait") this.#line.set(action, ticket);
  }

  /** The action waits for something else, or for nothing any more. */
  stopWaiting(action: number): void {
    this.#line.delete(action);
  }

  cancel({ action }: Command & { type: "cancel_permit" }): void {
    const permit = registry.takePermit(this.#tracks[action]!.permit);
    attempt(() => permit?.cancel?.());
  }
}
