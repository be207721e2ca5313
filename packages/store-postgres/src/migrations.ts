import { SCHEMA_VERSION } from "./schema-version.js";

/**
 * Everything that makes the schema, as one statement: one transaction, serialized by a lock, run as often as you like.
 * Reads nothing that needs rights beyond those of an application when there is nothing to do.
 */
export function migrationOf(schema: string): string {
  return `DO $migration$
DECLARE
  found integer := 0;
BEGIN
  IF current_setting('server_version_num')::integer < 120000 THEN
    RAISE EXCEPTION 'server too old' USING ERRCODE = 'EOC02';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('@eoc/store-postgres migration ${schema}', 0));
  IF to_regnamespace('${schema}') IS NULL THEN
    CREATE SCHEMA ${schema};
  END IF;
  IF to_regclass('${schema}.schema_version') IS NULL THEN
    CREATE TABLE ${schema}.schema_version (
      version integer PRIMARY KEY,
      applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
  END IF;
  SELECT coalesce(max(version), 0) INTO found FROM ${schema}.schema_version;
  IF found > ${SCHEMA_VERSION} THEN
    RAISE EXCEPTION '%', found USING ERRCODE = 'EOC01';
  END IF;
  IF found < 1 THEN
${firstVersion(schema)}
    INSERT INTO ${schema}.schema_version (version) VALUES (1);
  END IF;
END
$migration$`;
}

/**
 * `clock()` is the one place where time is read. `until` is the end of a lease or of a completed record, and infinite
 * for a key in doubt. `counts_at` is when a permit counts as started: while it is open, when it would count as abandoned.
 * `span` is the longest window that its key has been asked for with, `asked_at` when it was last asked for, with whichever.
 */
function firstVersion(schema: string): string {
  return `
    CREATE FUNCTION ${schema}.clock() RETURNS timestamptz LANGUAGE sql VOLATILE
      AS 'SELECT pg_catalog.clock_timestamp()';

    CREATE SEQUENCE ${schema}.token;
    CREATE TABLE ${schema}.idempotency (
      key text COLLATE "C" PRIMARY KEY,
      fingerprint text NOT NULL,
      state text NOT NULL CHECK (state IN ('claimed', 'in_progress', 'completed', 'unknown')),
      token bigint NOT NULL,
      until timestamptz NOT NULL,
      value text,
      omitted boolean NOT NULL DEFAULT false,
      claimed_at timestamptz NOT NULL,
      started_at timestamptz,
      updated_at timestamptz NOT NULL
    );
    CREATE INDEX idempotency_open ON ${schema}.idempotency (key) WHERE state <> 'completed';
    CREATE INDEX idempotency_until ON ${schema}.idempotency (until) WHERE state IN ('claimed', 'completed');

    CREATE TABLE ${schema}.kill_switch (
      name text COLLATE "C" PRIMARY KEY,
      halted boolean NOT NULL,
      reason text,
      version bigint NOT NULL,
      changed_by text,
      changed_at timestamptz NOT NULL
    );

    CREATE SEQUENCE ${schema}.grant_id;
    CREATE TABLE ${schema}.permit (
      key text COLLATE "C" NOT NULL,
      counts_at timestamptz NOT NULL,
      grant_id bigint NOT NULL,
      open boolean NOT NULL,
      span interval NOT NULL
    );
    CREATE INDEX permit_key ON ${schema}.permit (key, counts_at);
    CREATE INDEX permit_grant ON ${schema}.permit (grant_id);

    CREATE TABLE ${schema}.permit_window (
      key text COLLATE "C" PRIMARY KEY,
      span interval NOT NULL,
      asked_at timestamptz NOT NULL
    );

    CREATE FUNCTION ${schema}.acquire(requests json, abandoned_after interval)
      RETURNS TABLE (granted text, retry text) LANGUAGE plpgsql VOLATILE
    AS $acquire$
    DECLARE
      lock_key bigint;
      request record;
      now timestamptz;
      used bigint;
      leaves timestamptz;
      longest record;
      wait interval := interval '0';
    BEGIN
      -- Every statement has to see what others committed before the locks were had.
      IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'limits need READ COMMITTED' USING ERRCODE = 'EOC03';
      END IF;
      FOR lock_key IN
        SELECT DISTINCT hashtextextended(r.key, hashtextextended('${schema}.permit', 0))
        FROM json_to_recordset(requests) AS r (key text) ORDER BY 1
      LOOP
        PERFORM pg_advisory_xact_lock(lock_key);
      END LOOP;
      now := ${schema}.clock();
      FOR request IN
        SELECT r.key, r.most, r.span * interval '1 millisecond' AS span
        FROM json_to_recordset(requests) AS r (key text, most bigint, span double precision)
      LOOP
        SELECT w.span, w.asked_at INTO longest FROM ${schema}.permit_window w WHERE w.key = request.key;
        -- Kept while the key is asked for at all, also with shorter ones: who asks with it next counts what they were granted. Forgotten
        -- when nobody has asked for as long as itself. That somebody has is noted now and then, not every time.
        IF longest.span IS NULL OR request.span > longest.span OR longest.asked_at + longest.span * 0.125 <= now THEN
          INSERT INTO ${schema}.permit_window AS w VALUES (request.key, request.span, now)
            ON CONFLICT (key) DO UPDATE SET asked_at = excluded.asked_at,
              span = CASE WHEN w.asked_at + w.span * 1.125 <= now THEN excluded.span ELSE greatest(w.span, excluded.span) END;
          UPDATE ${schema}.permit p SET span = request.span WHERE p.key = request.key AND p.span < request.span;
        END IF;
        SELECT count(*) INTO used FROM ${schema}.permit p WHERE p.key = request.key AND p.counts_at > now - request.span;
        CONTINUE WHEN used < request.most;
        SELECT p.counts_at INTO leaves FROM ${schema}.permit p
          WHERE p.key = request.key AND p.counts_at > now - request.span
          ORDER BY p.counts_at OFFSET used - request.most LIMIT 1;
        -- What is open cannot leave before a whole window is over.
        wait := greatest(wait, CASE WHEN leaves <= now THEN leaves + request.span - now ELSE request.span END);
      END LOOP;
      IF wait > interval '0' THEN
        RETURN QUERY SELECT NULL::text, (extract(epoch FROM wait) * 1000)::text;
        RETURN;
      END IF;
      granted := nextval('${schema}.grant_id')::text;
      FOR request IN
        SELECT r.key, greatest(w.span, r.span * interval '1 millisecond') AS span
        FROM json_to_recordset(requests) AS r (key text, span double precision)
        LEFT JOIN ${schema}.permit_window w ON w.key = r.key
      LOOP
        DELETE FROM ${schema}.permit p WHERE p.ctid IN (
          SELECT o.ctid FROM ${schema}.permit o
          WHERE o.key = request.key AND o.counts_at <= now - request.span AND o.counts_at <= now - o.span LIMIT 1000
        );
        INSERT INTO ${schema}.permit (key, counts_at, grant_id, open, span)
          VALUES (request.key, now + abandoned_after, granted::bigint, true, request.span);
      END LOOP;
      retry := NULL;
      RETURN NEXT;
    END
    $acquire$;`;
}
