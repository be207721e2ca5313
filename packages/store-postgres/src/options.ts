import { type Clock, createSystemClock, EocError } from "@eoc/core";
import { type Database, databaseOf, type PostgresPool } from "./database.js";
import { checkSchemaName } from "./schema-name.js";

/** What every part of this package is opened with. */
export interface PostgresOptions {
  /** A `Pool` of `pg`, or the `sql` of `postgres`. It stays yours: close what uses it, then end it. */
  pool: PostgresPool;
  /** Where the tables are. Lower-case letters, digits and `_`. @defaultValue "eoc" */
  schema?: string;
  /** How long one call may take before it rejects, waiting for a connection of the pool included. @defaultValue 5000 */
  timeoutMs?: number;
  /** Times the waits of this process. Leases, records and windows go by the server's clock. @defaultValue the system clock */
  clock?: Clock;
}

export interface Settings {
  readonly database: Database;
  readonly schema: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** @throws EocError `invalid_option` */
export function settingsOf({ pool, schema = "eoc", timeoutMs = 5000, clock }: PostgresOptions): Settings {
  checkDuration("timeoutMs", timeoutMs);
  return {
    database: databaseOf(pool),
    schema: checkSchemaName(schema),
    timeoutMs,
    clock: clock ?? createSystemClock(),
  };
}

/**
 * @throws EocError `invalid_option` when `value` is not a positive number.
 */
export function checkDuration(path: string, value: unknown): void {
  if (typeof value === "number" && value > 0) return;
  const expected = "a number of milliseconds > 0";
  const received = typeof value === "number" ? String(value) : typeof value;
  throw new EocError("invalid_option", `${path} must be ${expected}, not ${received}`, {
    issues: [{ path, expected, received }],
  });
}
