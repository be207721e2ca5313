import type { KillSwitch, KillSwitchState } from "@eoc/core";
import { checkDuration, decodeKey, encodeKey, SwitchWatch, type VersionedState } from "@eoc/store-kit";
import { Calls } from "./calls.js";
import { databaseOf, type PostgresListening, type PostgresPool, type Row } from "./database.js";
import { type PostgresOptions, settingsOf } from "./options.js";
import { StoreError } from "./store-error.js";

/** So much of a reason, and of a name, is kept: it travels with the notification, which has a limit of its own. */
const TEXT_LENGTH = 500;

/** Options of {@link createPostgresKillSwitch}. Times are milliseconds. */
export interface PostgresKillSwitchOptions extends PostgresOptions {
  /** Which switch: executions that share a name are stopped together. @defaultValue "default" */
  name?: string;
  /** How often the state is read while anybody has subscribed, whatever is heard in between. @defaultValue 1000 */
  pollMs?: number;
  /**
   * The pool to listen on. Where `pool` goes through a pooler in transaction mode, give one that reaches the server
   * itself, or `"off"`: then a halt is seen by the next poll. @defaultValue `pool`
   */
  listen?: PostgresPool | "off";
}

/** What the switch says, and who made it say so. */
export interface PostgresKillSwitchState extends KillSwitchState {
  changedBy?: string;
  /** By the server's clock. Absent when nobody has ever touched the switch. */
  changedAtMs?: number;
}

/** A kill switch that rejects with a `StoreError` when its state cannot be read: whoever asked is denied (S2.3). */
export interface PostgresKillSwitch extends KillSwitch {
  /** Asks the server, every time. */
  read(): Promise<PostgresKillSwitchState>;
  /**
   * Watches from the first subscription until `close`. While the state is out of reach, listeners have been told
   * `halted: true`.
   * @throws StoreError `closed`
   */
  subscribe(listener: (state: KillSwitchState) => void): () => void;
  /** Resolves when the halt is committed and on its way. The first 500 characters of `reason` and `by` are kept. */
  halt(reason?: string, by?: string): Promise<void>;
  /** Lets new executions dispatch again. */
  clear(by?: string): Promise<void>;
  /** Stops watching; gives the connection that listens back. The pool stays open. */
  close(): Promise<void>;
}

/**
 * A switch in a PostgreSQL that processes share (S2): a halt is notified (`LISTEN`), and polled for as well.
 * @throws EocError `invalid_option`
 */
export function createPostgresKillSwitch(options: PostgresKillSwitchOptions): PostgresKillSwitch {
  const settings = settingsOf(options);
  const { name = "default", pollMs = 1000, listen = options.pool } = options;
  checkDuration("pollMs", pollMs);
  const calls = new Calls(settings);
  const { channel, ...sql } = switchSql(settings.schema);
  const params = [encodeKey(name)];
  const source =
    listen === "off" ? undefined : listen === options.pool ? settings.database : databaseOf(listen, "unnamed");
  const watch = new SwitchWatch<PostgresListening>({
    clock: settings.clock,
    inTime: calls,
    pollMs,
    listen: source && ((hooks) => source.listen(channel, hooks)),
    // Over the connection that listens: behind its answer, nothing can have been missed.
    poll: async (listening) => stateOf(await (listening?.query ?? calls.query.bind(calls))(sql.read, params)),
    parse: (payload) => parse(payload, name),
  });

  const set = async (halted: "true" | "false", reason: string | undefined, by: string | undefined) => {
    watch.learn(stateOf(await calls.query(sql.set, [...params, halted, keptOf(reason), keptOf(by)])));
  };

  return {
    read: async () => stateOf(await calls.query(sql.read, params)).state,
    subscribe: (listener) => watch.subscribe(listener),
    halt: (reason, by) => set("true", reason, by),
    clear: (by) => set("false", undefined, by),
    async close() {
      await watch.close();
      await calls.close();
    },
  };
}

function switchSql(schema: string) {
  const table = `${schema}.kill_switch`;
  const channel = `eoc_switch_${schema}`;
  return {
    channel,
    /** A replica may not have heard of a halt yet. */
    read: `
SELECT pg_is_in_recovery()::text AS replica, s.halted::text AS halted, s.reason AS reason, s.version::text AS version,
  s.changed_by AS author, floor(extract(epoch FROM s.changed_at) * 1000)::text AS changed
FROM (SELECT) one LEFT JOIN ${table} s ON s.name = $1`,
    set: `
WITH changed AS (
  INSERT INTO ${table} AS s (name, halted, reason, changed_by, version, changed_at) 
    VALUES ($1, $2::text::boolean, $3, $4, nextval('${schema}.token'), ${schema}.clock())
  ON CONFLICT (name) DO UPDATE SET halted = excluded.halted, reason = excluded.reason, changed_by = excluded.changed_by,
    version = nextval('${schema}.token'), changed_at = ${schema}.clock()
  RETURNING *
)
SELECT 'false' AS replica, halted::text AS halted, reason, version::text AS version,
  changed_by AS author, floor(extract(epoch FROM changed_at) * 1000)::text AS changed,
  pg_notify('${channel}', json_build_object('name', name, 'halted', halted, 'reason', reason, 'version', version)::text)::text AS sent
FROM changed`,
  };
}

function stateOf([row]: readonly Row[]): VersionedState<PostgresKillSwitchState> {
  const { replica, halted, reason, version, author, changed } = (row ?? {}) as Record<
    string,
    string | null | undefined
  >;
  if (replica === "true") throw new StoreError("replica", "a replica may not have heard of a halt: ask the primary");
  // What was never thrown has no row.
  if (replica === "false" && halted == null) return { version: 0, state: { halted: false } };
  if (halted !== "true" && halted !== "false") {
    throw new StoreError("corrupt", "the switch is not what this package writes");
  }
  return {
    version: Number(version),
    state: {
      halted: halted === "true",
      ...(reason == null ? undefined : { reason: decodeKey(reason) }),
      ...(author == null ? undefined : { changedBy: decodeKey(author) }),
      changedAtMs: Number(changed),
    },
  };
}

function keptOf(text: string | undefined): string | null {
  return text === undefined ? null : encodeKey(text.slice(0, TEXT_LENGTH));
}

/** The news of a notification; undefined when it is about another switch, or none of ours. */
function parse(payload: string, name: string): VersionedState | undefined {
  try {
    const news = JSON.parse(payload) as { name: string; halted: boolean; reason: string | null; version: number };
    if (news.name !== encodeKey(name) || typeof news.halted !== "boolean") return undefined;
    const { halted, reason, version } = news;
    return { version, state: { halted, ...(reason === null ? undefined : { reason: decodeKey(reason) }) } };
  } catch {
    return undefined;
  }
}
