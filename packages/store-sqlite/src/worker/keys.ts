import type { DatabaseSync } from "node:sqlite";
import type { IdempotencyState } from "@eoc/core";
import type { StoredKey, StoredVerdict } from "../protocol.ts";
import type { Moment } from "./moment.ts";

interface KeyRow {
  fingerprint: string;
  state: "claimed" | "started" | "completed" | "unknown";
  until_ms: number | null;
  started_at: number | null;
  value: string | null;
  value_omitted: number;
}

/** A row is what it was written as, and time: a lease that has run out frees a claim, and leaves a dispatch in doubt. */
const LISTED = `SELECT key, fingerprint, token, claimed_at, started_at, updated_at, until_ms,
  CASE WHEN state <> 'started' THEN state WHEN until_ms <= :now THEN 'unknown' ELSE 'in_progress' END AS state
  FROM eoc_keys`;
const IS_THERE = "(state IN ('started', 'unknown') OR until_ms IS NULL OR until_ms > :now)";
const IS_OWN =
  "key = :key AND token = :token AND state <> 'completed' AND NOT (state = 'claimed' AND until_ms <= :now)";
const IS_IN_DOUBT = "key = :key AND (state = 'unknown' OR (state = 'started' AND until_ms <= :now))";

/** Records that ran out are forgotten as new ones come, so many for each: never many at a time, and more than were added. */
const FORGOTTEN_AT_ONCE = 8;

/** The idempotency keys (S7), inside a transaction that somebody else begins and commits. */
export class Keys {
  readonly #moment: Moment;
  readonly #sql;
  #claims = 0;

  constructor(db: DatabaseSync, moment: Moment) {
    this.#moment = moment;
    this.#sql = {
      find: db.prepare(
        "SELECT fingerprint, state, until_ms, started_at, value, value_omitted FROM eoc_keys WHERE key = ?",
      ),
      claimFree: db.prepare(`INSERT INTO eoc_keys (key, fingerprint, state, token, until_ms, claimed_at, updated_at)
        VALUES (?, ?, 'claimed', ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING`),
      claimAgain: db.prepare(`INSERT OR REPLACE INTO eoc_keys
        (key, fingerprint, token, until_ms, claimed_at, updated_at, state, started_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`),
      forget: db.prepare(`DELETE FROM eoc_keys WHERE key IN (SELECT key FROM eoc_keys
        WHERE state = 'completed' AND until_ms IS NOT NULL AND until_ms <= ? LIMIT ?)`),
      start:
        db.prepare(`UPDATE eoc_keys SET state = 'started', started_at = coalesce(started_at, :wall), updated_at = :wall
        WHERE key = :key AND token = :token AND state IN ('claimed', 'started') AND until_ms > :now`),
      renew: db.prepare(`UPDATE eoc_keys SET until_ms = :until
        WHERE key = :key AND token = :token AND state IN ('claimed', 'started') AND until_ms > :now`),
      complete:
        db.prepare(`UPDATE eoc_keys SET state = 'completed', value = ?, value_omitted = ?, until_ms = ?, updated_at = ?
        WHERE key = ? AND token = ? AND state <> 'completed' AND NOT (state = 'claimed' AND until_ms <= ?)`),
      release: db.prepare(`DELETE FROM eoc_keys WHERE ${IS_OWN}`),
      markUnknown: db.prepare(
        `UPDATE eoc_keys SET state = 'unknown', until_ms = NULL, updated_at = :wall WHERE ${IS_OWN}`,
      ),
      resolveApplied:
        db.prepare(`UPDATE eoc_keys SET state = 'completed', value = NULL, value_omitted = 0, until_ms = NULL,
        updated_at = :wall WHERE ${IS_IN_DOUBT}`),
      resolveNotApplied: db.prepare(`DELETE FROM eoc_keys WHERE ${IS_IN_DOUBT}`),
      findListed: db.prepare(`${LISTED} WHERE key = :key AND ${IS_THERE}`),
      list: db.prepare(`${LISTED} WHERE key > :after AND ${IS_THERE} ORDER BY key LIMIT :count`),
      listOpen: db.prepare(`${LISTED} WHERE key > :after AND state <> 'completed' AND ${IS_THERE} AND
        CASE :state WHEN 'claimed' THEN state = 'claimed' WHEN 'in_progress' THEN state = 'started' AND until_ms > :now
        ELSE state = 'unknown' OR (state = 'started' AND until_ms <= :now) END ORDER BY key LIMIT :count`),
      listCompleted: db.prepare(`${LISTED} WHERE key > :after AND state = 'completed' AND ${IS_THERE}
        ORDER BY key LIMIT :count`),
    };
  }

  claim(key: string, fingerprint: string, leaseMs: number, takeOver: boolean): StoredVerdict {
    const { nowMs: now, wallMs: wall } = this.#moment;
    const token = this.#moment.nextNumber();
    const claim = [key, fingerprint, token, now + leaseMs, wall, wall] as const;
    this.#claims++;
    if (isDone(this.#sql.claimFree.run(...claim))) return { state: "claimed", token };
    const row = this.#sql.find.get(key) as unknown as KeyRow;
    const isFree = hasEnded(row, now);
    if (!isFree) {
      if (row.fingerprint !== fingerprint) return { state: "conflict" };
      if (row.state === "completed") {
        return { state: "completed", value: row.value, valueOmitted: row.value_omitted === 1 };
      }
      const isInDoubt = row.state === "unknown" || row.until_ms! <= now;
      if (isInDoubt && !takeOver) return { state: "unknown" };
      if (!isInDoubt) return { state: "in_progress", untilMs: this.#onTheWall(row.until_ms!) };
    }
    // What was in doubt stays so until it is written: the new claim counts as started.
    this.#sql.claimAgain.run(...claim, isFree ? "claimed" : "started", isFree ? null : row.started_at);
    return { state: "claimed", token };
  }

  /** Removes records that have run out, a few for every claim since the last time. */
  forget(): void {
    if (this.#claims === 0) return;
    this.#sql.forget.run(this.#moment.nowMs, FORGOTTEN_AT_ONCE * this.#claims);
    this.#claims = 0;
  }

  start(key: string, token: number): boolean {
    const { nowMs: now, wallMs: wall } = this.#moment;
    return isDone(this.#sql.start.run({ key, token, now, wall }));
  }

  renew(key: string, token: number, leaseMs: number): boolean {
    const { nowMs: now } = this.#moment;
    return isDone(this.#sql.renew.run({ key, token, now, until: now + leaseMs }));
  }

  complete(key: string, token: number, value: string | null, omitted: boolean, ttlMs: number | null): boolean {
    const { nowMs: now, wallMs: wall } = this.#moment;
    const until = ttlMs === null ? null : now + ttlMs;
    return isDone(this.#sql.complete.run(value, Number(omitted), until, wall, key, token, now));
  }

  release(key: string, token: number): boolean {
    return isDone(this.#sql.release.run({ key, token, now: this.#moment.nowMs }));
  }

  markUnknown(key: string, token: number): boolean {
    const { nowMs: now, wallMs: wall } = this.#moment;
    return isDone(this.#sql.markUnknown.run({ key, token, now, wall }));
  }

  resolve(key: string, outcome: "applied" | "not_applied"): boolean {
    const { nowMs: now, wallMs: wall } = this.#moment;
    if (outcome === "applied") return isDone(this.#sql.resolveApplied.run({ key, now, wall }));
    return isDone(this.#sql.resolveNotApplied.run({ key, now }));
  }

  find(key: string): StoredKey | null {
    const row = this.#sql.findListed.get({ key, now: this.#moment.nowMs });
    return row === undefined ? null : this.#storedKeyOf(row);
  }

  /** The next `count` keys after `after`, in the order of their bytes. */
  list(state: IdempotencyState | null, after: string, count: number): StoredKey[] {
    const { nowMs: now } = this.#moment;
    const found =
      state === null
        ? this.#sql.list.all({ after, now, count })
        : state === "completed"
          ? this.#sql.listCompleted.all({ after, now, count })
          : this.#sql.listOpen.all({ after, now, count, state });
    return found.map((row) => this.#storedKeyOf(row));
  }

  #storedKeyOf(row: Readonly<Record<string, unknown>>): StoredKey {
    const state = row["state"] as IdempotencyState;
    const hasLease = state === "claimed" || state === "in_progress";
    return {
      key: row["key"] as string,
      state,
      fingerprint: row["fingerprint"] as string,
      token: row["token"] as number,
      claimedAtMs: row["claimed_at"] as number,
      startedAtMs: row["started_at"] as number | null,
      updatedAtMs: row["updated_at"] as number,
      leaseUntilMs: hasLease ? this.#onTheWall(row["until_ms"] as number) : null,
    };
  }

  /** A time of the file that is to come, on the clock on the wall as it is now. */
  #onTheWall(ms: number): number {
    const { nowMs, wallMs } = this.#moment;
    return wallMs + Math.ceil(ms - nowMs);
  }
}

/** Neither a claim that was never dispatched nor a completed record outlives its time. */
function hasEnded({ state, until_ms }: KeyRow, now: number): boolean {
  return (state === "claimed" || state === "completed") && until_ms !== null && until_ms <= now;
}

function isDone({ changes }: { changes: number | bigint }): boolean {
  return Number(changes) > 0;
}
