import { LONGEST_MS } from "./longest.js";

/** The statements of the idempotency store; each is one round trip and one transaction. */
export function idempotencySql(schema: string) {
  const table = `${schema}.idempotency`;
  const now = `${schema}.clock()`;
  const later = (param: string) => `${now} + least(${param}::float8, ${LONGEST_MS}) * interval '1 millisecond'`;
  const lapsed = `(r.state = 'claimed' AND r.until <= ${now})`;
  const inDoubt = `(r.state = 'unknown' OR (r.state = 'in_progress' AND r.until <= ${now}))`;
  /** Only the newest claim may write, and not over a completed record (S7.3). */
  const mayWrite = `r.key = $1 AND r.token = $2::bigint AND r.state <> 'completed' AND NOT ${lapsed}`;
  const millis = (column: string) => `floor(extract(epoch FROM ${column}) * 1000)::text`;
  const page = (isThere: string, isWanted: string) => `
WITH moment AS MATERIALIZED (SELECT ${now} AS at),
shown AS (
  SELECT r.key, r.fingerprint, r.token, r.claimed_at, r.started_at,
    CASE WHEN r.state = 'in_progress' AND r.until <= at THEN 'unknown' ELSE r.state END AS state,
    CASE WHEN r.state = 'in_progress' AND r.until <= at THEN r.until ELSE r.updated_at END AS updated_at
  FROM ${table} r, moment
  WHERE ($1::text IS NULL OR r.key > $1::text) AND ${isThere}
)
SELECT key, fingerprint, token::text AS token, state, ${millis("claimed_at")} AS claimed,
  ${millis("started_at")} AS started, ${millis("updated_at")} AS updated
FROM shown WHERE ${isWanted} ORDER BY key LIMIT $3::bigint`;

  return {
    /**
     * Looks before it writes, so that an answer that needs no claim costs no write. When it tries to claim and another
     * was faster, it answers nothing at all: what it saw is old by then, and has to be asked for again. The conditions
     * of the conflict see the newest row, after any wait for its lock. What was in doubt stays so until it is written:
     * its new claim counts as started.
     */
    claim: `
WITH moment AS MATERIALIZED (SELECT ${now} AS at),
seen AS MATERIALIZED (
  SELECT r.*, CASE
    WHEN r.state IN ('claimed', 'completed') AND r.until <= at THEN 'free'
    WHEN r.fingerprint <> $2 THEN 'conflict'
    WHEN r.state = 'completed' THEN 'completed'
    WHEN r.state = 'unknown' OR r.until <= at THEN CASE WHEN $4::boolean THEN 'free' ELSE 'unknown' END
    ELSE 'in_progress'
  END AS verdict
  FROM ${table} r, moment WHERE r.key = $1
),
claimed AS (
  INSERT INTO ${table} AS r (key, fingerprint, state, token, until, claimed_at, updated_at)
  SELECT $1, $2, 'claimed', nextval('${schema}.token'), ${later("$3")}, at, at FROM moment
  WHERE NOT EXISTS (SELECT FROM seen WHERE verdict <> 'free')
  ON CONFLICT (key) DO UPDATE SET fingerprint = $2, token = nextval('${schema}.token'), until = ${later("$3")},
    state = CASE WHEN r.state IN ('in_progress', 'unknown') THEN 'in_progress' ELSE 'claimed' END,
    started_at = CASE WHEN r.state IN ('in_progress', 'unknown') THEN r.started_at END,
    value = NULL, omitted = false, claimed_at = ${now}, updated_at = ${now}
  WHERE (r.state IN ('claimed', 'completed') AND r.until <= ${now})
    OR ($4::boolean AND r.fingerprint = $2 AND ${inDoubt})
  RETURNING r.token
)
SELECT 'claimed' AS verdict, token::text AS token, NULL AS value, NULL AS omitted, NULL AS until FROM claimed
UNION ALL
SELECT verdict, NULL, value, omitted::text, ${millis("until")} FROM seen WHERE verdict <> 'free'`,
    start: `
UPDATE ${table} r SET state = 'in_progress', started_at = coalesce(r.started_at, ${now}), updated_at = ${now}
WHERE ${mayWrite} AND r.state IN ('claimed', 'in_progress') AND r.until > ${now} RETURNING 'done' AS done`,
    renew: `
UPDATE ${table} r SET until = ${later("$3")}
WHERE ${mayWrite} AND r.state IN ('claimed', 'in_progress') AND r.until > ${now} RETURNING 'done' AS done`,
    complete: `
UPDATE ${table} r SET state = 'completed', value = $3, omitted = $4::boolean, updated_at = ${now},
  until = CASE WHEN $5::float8 >= ${LONGEST_MS} THEN 'infinity'::timestamptz ELSE ${later("$5")} END
WHERE ${mayWrite} RETURNING 'done' AS done`,
    release: `DELETE FROM ${table} r WHERE ${mayWrite} RETURNING 'done' AS done`,
    markUnknown: `
UPDATE ${table} r SET state = 'unknown', until = 'infinity', updated_at = ${now}
WHERE ${mayWrite} RETURNING 'done' AS done`,
    resolveApplied: `
UPDATE ${table} r SET state = 'completed', value = NULL, omitted = false, until = 'infinity', updated_at = ${now}
WHERE r.key = $1 AND ${inDoubt} RETURNING 'done' AS done`,
    resolveNotApplied: `DELETE FROM ${table} r WHERE r.key = $1 AND ${inDoubt} RETURNING 'done' AS done`,
    /** One page in the order of keys, behind the key $1. What has run out is shown as what it has become. */
    page: page("NOT (r.state IN ('claimed', 'completed') AND r.until <= at)", "($2::text IS NULL OR state = $2::text)"),
    /** The same for what is not completed: reads no more of the table than that. */
    openPage: page("r.state <> 'completed' AND NOT (r.state = 'claimed' AND r.until <= at)", "state = $2::text"),
    /** A bounded batch of what has run out; what somebody else holds is left to him. */
    purge: `
DELETE FROM ${table} WHERE key IN (
  SELECT r.key FROM ${table} r WHERE r.state IN ('claimed', 'completed') AND r.until <= (SELECT ${now})
  ORDER BY r.until LIMIT $1::bigint FOR UPDATE SKIP LOCKED
) RETURNING 'done' AS done`,
  };
}
