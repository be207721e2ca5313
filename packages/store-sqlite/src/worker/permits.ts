import type { DatabaseSync } from "node:sqlite";
import type { StoredGrant, StoredLimit } from "../protocol.ts";
import type { Moment } from "./moment.ts";
import type { Owner } from "./owner.ts";

/** An owner that was found alive is not looked at again for so long. */
const ALIVE_FOR_MS = 100;

/** Old permits of keys that nobody asks for any more are removed so many at a time. */
const SWEPT_AT_ONCE = 500;

/** The starts that still count, and the permits that are not stamped yet (S6), inside somebody else's transaction. */
export class Permits {
  readonly #moment: Moment;
  readonly #owner: Owner;
  readonly #seenAlive = new Map<string, number>();
  readonly #sql;

  constructor(db: DatabaseSync, moment: Moment, owner: Owner) {
    this.#moment = moment;
    this.#owner = owner;
    this.#sql = {
      widen: db.prepare(`INSERT INTO eoc_limits VALUES (:key, :window) ON CONFLICT (key) DO UPDATE
        SET window_ms = excluded.window_ms WHERE excluded.window_ms > window_ms`),
      // By the widest window that anybody has asked for: what one policy no longer counts, another may.
      expire: db.prepare(`DELETE FROM eoc_permits WHERE key = :key AND at_ms <=
        :now - (SELECT window_ms FROM eoc_limits WHERE key = :key)`),
      count: db.prepare("SELECT count(*) AS count FROM eoc_permits WHERE key = ? AND at_ms > ?"),
      open: db.prepare("SELECT count(*) AS count FROM eoc_permits WHERE key = ? AND at_ms IS NULL"),
      nth: db.prepare("SELECT at_ms FROM eoc_permits WHERE key = ? AND at_ms > ? ORDER BY at_ms LIMIT 1 OFFSET ?"),
      grant: db.prepare("INSERT INTO eoc_permits VALUES (?, ?, NULL, ?)"),
      stamp: db.prepare("UPDATE eoc_permits SET at_ms = ?, owner = NULL WHERE permit = ? AND at_ms IS NULL"),
      cancel: db.prepare("DELETE FROM eoc_permits WHERE permit = ? AND at_ms IS NULL"),
      owners: db.prepare("SELECT DISTINCT owner FROM eoc_permits WHERE at_ms IS NULL"),
      stampAllOf: db.prepare("UPDATE eoc_permits SET at_ms = ?, owner = NULL WHERE at_ms IS NULL AND owner = ?"),
      any: db.prepare("SELECT 1 FROM eoc_permits LIMIT 1"),
      sweep: db.prepare(`DELETE FROM eoc_permits WHERE rowid IN (SELECT p.rowid FROM eoc_permits p JOIN eoc_limits l
        ON l.key = p.key WHERE p.at_ms <= ? - l.window_ms LIMIT ${SWEPT_AT_ONCE})`),
    };
  }

  /** All or none; a refusal leaves nothing behind. */
  acquire(limits: readonly StoredLimit[]): StoredGrant {
    const wait = this.#waitForAll(limits);
    if (wait > 0 && !(this.stampForTheDead() && this.#waitForAll(limits) === 0)) return { retryAfterMs: wait };
    const permit = this.#moment.nextNumber();
    for (const [key] of limits) this.#sql.grant.run(permit, key, this.#owner.name);
    return { permit };
  }

  #waitForAll(limits: readonly StoredLimit[]): number {
    return limits.reduce((wait, limit) => Math.max(wait, this.#waitFor(limit)), 0);
  }

  /** Milliseconds until `limit` allows one more; 0 when it does now. Windows are half-open. */
  #waitFor([key, limit, windowMs]: StoredLimit): number {
    const { nowMs: now } = this.#moment;
    this.#sql.widen.run({ key, window: windowMs });
    this.#sql.expire.run({ key, now });
    const since = now - windowMs;
    const counted = countOf(this.#sql.count.get(key, since));
    const excess = counted + countOf(this.#sql.open.get(key)) - limit;
    if (excess < 0) return 0;
    // One more fits once so many of the oldest have left the window. Those not stamped yet cannot leave before a window is over.
    if (excess >= counted) return windowMs;
    const { at_ms } = this.#sql.nth.get(key, since, excess) as { at_ms: number };
    return at_ms - since;
  }

  /** The dispatch started then: the permit counts from there on. */
  stamp(permit: number, monotonicMs: number): void {
    this.#sql.stamp.run(this.#moment.at(monotonicMs), permit);
  }

  cancel(permit: number): void {
    this.#sql.cancel.run(permit);
  }

  /** Permits of owners that have died: they may have dispatched up to their end, which was no later than now. */
  stampForTheDead(): boolean {
    let found = false;
    for (const row of this.#sql.owners.all()) {
      const owner = row["owner"] as string;
      if (this.#isAlive(owner)) continue;
      this.#sql.stampAllOf.run(this.#moment.nowMs, owner);
      found = true;
    }
    return found;
  }

  #isAlive(owner: string): boolean {
    const { nowMs } = this.#moment;
    if (nowMs - (this.#seenAlive.get(owner) ?? Number.NEGATIVE_INFINITY) < ALIVE_FOR_MS) return true;
    const isAlive = this.#owner.isAlive(owner);
    if (isAlive) this.#seenAlive.set(owner, nowMs);
    else this.#seenAlive.delete(owner);
    return isAlive;
  }

  /** This connection is about to end: whatever it still holds has been dispatched by now, or never will be. */
  stampOwn(): void {
    if (this.#owner.isHeld) this.#sql.stampAllOf.run(this.#moment.nowMs, this.#owner.name);
  }

  /** Whether there is anything to be stamped or swept. */
  areThere(): boolean {
    return this.#sql.any.get() !== undefined;
  }

  sweep(): void {
    this.#sql.sweep.run(this.#moment.nowMs);
  }
}

function countOf(row: unknown): number {
  return (row as { count: number }).count;
}
