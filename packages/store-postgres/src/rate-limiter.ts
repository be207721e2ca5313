import type { RateLimiter, RateRequest, RateVerdict } from "@eoc/core";
import { checkDuration, encodeKey } from "@eoc/store-kit";
import { Calls } from "./calls.js";
import type { Row } from "./database.js";
import { LONGEST_MS } from "./longest.js";
import { type PostgresOptions, settingsOf } from "./options.js";

/** Grants after which a batch of what has left its window, and of windows that nobody asks with, is deleted; its size. */
const PURGE_EVERY = 1024;
const PURGE_BATCH = 4096;

/** Options of {@link createPostgresRateLimiter}. Times are milliseconds. */
export interface PostgresRateLimiterOptions extends PostgresOptions {
  /**
   * When a permit that was neither stamped nor handed back counts as started: its process must be dead by then. Longer
   * than any dispatch may take between its permit and its start, which is two of the policy's `portTimeoutMs`.
   * @defaultValue 60000
   */
  abandonedAfterMs?: number;
}

/** A rate limiter that rejects with a `StoreError` when it cannot tell. */
export interface PostgresRateLimiter extends RateLimiter {
  acquire(requests: readonly RateRequest[], nowMs: number): Promise<RateVerdict>;
  /** Refuses further calls, and waits for the stamps that are on their way. The pool stays open. */
  close(): Promise<void>;
}

/**
 * An exact sliding log in a PostgreSQL that processes share (S6): one call of one function, which holds a lock for each
 * key, in one order for all. It goes by the server's clock. A permit is stamped when the server hears of the dispatch,
 * so that a window never holds more starts than the limit says, but may hold fewer.
 * @throws EocError `invalid_option`
 */
export function createPostgresRateLimiter(options: PostgresRateLimiterOptions): PostgresRateLimiter {
  const settings = settingsOf(options);
  const { abandonedAfterMs = 60_000 } = options;
  checkDuration("abandonedAfterMs", abandonedAfterMs);
  const calls = new Calls(settings);
  const sql = limiterSql(settings.schema);
  const handingBack = new Set<Promise<void>>();
  let grants = 0;

  const handBack = (grant: string) => {
    const done = calls.inBackground(() => calls.query(sql.cancel, [grant]));
    handingBack.add(done);
    void done.finally(() => handingBack.delete(done));
  };

  const permit = (grant: string, requests: string): RateVerdict => {
    let open = true;
    const close = (then: () => void) => {
      if (!open) return;
      open = false;
      then();
    };
    const stamp = () => calls.query(sql.stamp, [grant, requests]);
    return {
      granted: true,
      // Sent when the executor has been called, not just before: the stamp is never earlier than the start. One that
      // does not arrive leaves the permit open: it counts for longer, never for less.
      dispatched: () => close(() => queueMicrotask(() => void calls.inBackground(stamp))),
      cancel: () => close(() => handBack(grant)),
    };
  };

  return {
    async acquire(requests) {
      const text = JSON.stringify(
        requests.map(({ key, limit, windowMs }) => ({
          key: encodeKey(key),
          most: limit,
          span: Math.min(windowMs, LONGEST_MS),
        })),
      );
      const tooLate = ([row]: readonly Row[]) => {
        const grant = row?.["granted"];
        if (grant) handBack(grant);
      };
      // What this process has handed back is free for its next request.
      if (handingBack.size > 0) await Promise.all(handingBack);
      const [row] = await calls.query(sql.acquire, [text, abandonedAfterMs], tooLate);
      const grant = row?.["granted"];
      if (!grant) return { granted: false, retryAfterMs: Math.max(1, Number(row?.["retry"])) };
      if (++grants % PURGE_EVERY === 0) void calls.inBackground(() => calls.query(sql.purge, [PURGE_BATCH]));
      return permit(grant, text);
    },
    close: () => calls.close(),
  };
}

function limiterSql(schema: string) {
  const table = `${schema}.permit`;
  const now = `${schema}.clock()`;
  return {
    acquire: `SELECT granted, retry FROM ${schema}.acquire($1::text::json, $2::float8 * interval '1 millisecond')`,
    /** A permit that was given up, and comes to be used after all, counts all the same. */
    stamp: `
WITH stamped AS (
  UPDATE ${table} SET counts_at = ${now}, open = false WHERE grant_id = $1::bigint RETURNING grant_id
)
INSERT INTO ${table} (key, counts_at, grant_id, open, span)
SELECT r.key, ${now}, $1::bigint, false, greatest(w.span, r.span * interval '1 millisecond')
FROM json_to_recordset($2::text::json) AS r (key text, span double precision)
LEFT JOIN ${schema}.permit_window w ON w.key = r.key
WHERE NOT EXISTS (SELECT FROM stamped)`,
    cancel: `DELETE FROM ${table} WHERE grant_id = $1::bigint AND open`,
    purge: `
WITH forgotten AS (
  DELETE FROM ${schema}.permit_window WHERE ctid IN (
    SELECT w.ctid FROM ${schema}.permit_window w WHERE w.asked_at + w.span * 1.125 <= (SELECT ${now}) LIMIT $1::bigint FOR UPDATE SKIP LOCKED
  )
)
DELETE FROM ${table} WHERE ctid IN (SELECT p.ctid FROM ${table} p WHERE p.counts_at + p.span <= (SELECT ${now}) LIMIT $1::bigint)`,
  };
}
