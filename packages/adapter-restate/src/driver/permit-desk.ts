import { type Command, PermitLine, rateRequests, type Ticket } from "@eoc/core/machine";
import { attempt } from "../live/limited.js";
import { registry } from "../live/registry.js";
import type { EngineRecord } from "./engine-record.js";
import type { KeyDesk } from "./key-desk.js";
import { acquirePermit } from "./port-steps.js";
import type { Shop } from "./shop.js";
import type { Track } from "./track.js";

/** The permits of the dispatches, and the line of those of this execution that wait for one (S6.3). */
export class PermitDesk {
  readonly #shop: Shop;
  readonly #record: EngineRecord;
  readonly #keys: KeyDesk;
  readonly #tracks: readonly Track[];
  /** All that is in it comes from the record. */
  readonly #line = new PermitLine();
  readonly #tickets = new Map<number, Ticket>();

  constructor(shop: Shop, record: EngineRecord, keys: KeyDesk, tracks: readonly Track[]) {
    this.#shop = shop;
    this.#record = record;
    this.#keys = keys;
    this.#tracks = tracks;
  }

  async acquire(command: Command & { type: "acquire_permit" }): Promise<void> {
    const { machine } = this.#shop;
    const { action } = command;
    const before = this.#line.before(this.#keysOf(action), this.#tickets.get(action));
    if (before !== undefined) {
      const verdict = { state: "behind", retryAfterMs: Math.max(0, before.dueAt - machine.at) } as const;
      return this.#record.news({ type: "permit", action, verdict }, machine.at);
    }
    const asked = () => this.#keys.renewing(() => acquirePermit(this.#shop, command));
    const { news, at, permit } = await this.#record.step(`acquire_permit ${action}`, asked);
    this.#record.news(news, at);
    if (permit !== undefined) this.#tracks[action]!.permit = permit;
  }

  #keysOf(action: number): string[] {
    const { policy, plan } = this.#shop.machine;
    return rateRequests(policy, plan.actions[action]!.action).map(({ key }) => key);
  }

  /** Keeps the place in line that the action has, or gives it one. */
  joinLine({ action, at, behind }: Command & { type: "join_line" }): void {
    const ticket = this.#tickets.get(action) ?? this.#line.join(this.#keysOf(action));
    this.#tickets.set(action, ticket);
    ticket.dueAt = at;
    if (!behind) return ticket.refused();
    ticket.await(() => this.#record.turn(action));
  }

  leaveLine({ action, granted }: Command & { type: "leave_line" }): void {
    this.#tickets.get(action)?.leave(granted);
    this.#tickets.delete(action);
  }

  cancel({ action }: Command & { type: "cancel_permit" }): void {
    const permit = registry.takePermit(this.#tracks[action]!.permit);
    attempt(() => permit?.cancel?.());
  }
}
