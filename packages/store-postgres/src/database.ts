import { type ListenHooks, type Listening, refuseOption } from "@eoc/store-kit";
import { isPgPool, type PgPool, pgDatabase } from "./pg-database.js";
import { isPostgresJs, type PostgresJs, postgresJsDatabase } from "./postgres-js-database.js";

/** What goes into a statement: every driver sends these alike. */
export type Param = string | number | boolean | null;

/** Statements name their columns in single lower-case words and cast them to text, whatever the driver makes of types. */
export type Row = Readonly<Record<string, string | null>>;

export interface PostgresListening extends Listening {
  /** A statement on the connection that listens: an answer proves that it lives. Absent where it cannot be reached. */
  readonly query?: (text: string, params: readonly Param[]) => Promise<readonly Row[]>;
}

/** A PostgreSQL client, whichever driver is behind it. */
export interface Database {
  /** One statement, one round trip. Without parameters, several statements may be one transaction. */
  query(text: string, params?: readonly Param[]): Promise<readonly Row[]>;
  /** Rejects where it cannot listen now. */
  listen(channel: string, hooks: ListenHooks): Promise<PostgresListening>;
}

/** A `Pool` of `pg`, or the `sql` of `postgres`. It stays yours: it is never ended here. */
export type PostgresPool = PgPool | PostgresJs;

/**
 * Wraps a user's pool, told apart by its shape.
 * @throws EocError `invalid_option`
 */
export function databaseOf(pool: PostgresPool, statements: "unnamed" | "prepared"): Database {
  if (isPostgresJs(pool)) return postgresJsDatabase(pool);
  if (isPgPool(pool)) return pgDatabase(pool, statements);
  return refuseOption("pool", "a Pool of pg or the sql of postgres", pool);
}
