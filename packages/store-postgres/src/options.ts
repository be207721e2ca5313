import { type Clock, checkOptionNames, createSystemClock } from "@eoc/core";
import { checkDuration, refuseOption } from "@eoc/store-kit";
import { type Database, databaseOf, type PostgresPool } from "./database.js";
import type { PostgresRuntimeOptions } from "./runtime.js";
import { checkSchemaName } from "./schema-name.js";

/** What every part of this package is opened with. */
export interface PostgresOptions {
  /** A `Pool` of `pg`, or the `sql` of `postgres`. It stays yours: close what uses it, then end it. */
  pool: PostgresPool;
  /**
   * `"prepared"` keeps statements parsed on each connection of `pg`: about twice the throughput. Not behind a pooler in
   * transaction mode that does not know of them. `postgres` goes by its own option `prepare`. @defaultValue "unnamed"
   */
  statements?: "unnamed" | "prepared";
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

/** Of every part of this package: they may share one object of options. */
const OPTIONS = {
  pool: true,
  statements: true,
  schema: true,
  timeoutMs: true,
  clock: true,
  name: true,
  pollMs: true,
  listen: true,
  abandonedAfterMs: true,
} as const satisfies Record<keyof PostgresRuntimeOptions, true>;

/** @throws EocError `invalid_option` */
export function settingsOf(options: PostgresOptions): Settings {
  checkOptionNames<PostgresRuntimeOptions>(options, OPTIONS);
  const { pool, statements = "unnamed", schema = "eoc", timeoutMs = 5000, clock } = options;
  checkDuration("timeoutMs", timeoutMs);
  if (statements !== "unnamed" && statements !== "prepared") {
    refuseOption("statements", '"unnamed" or "prepared"', statements);
  }
  return {
    database: databaseOf(pool, statements),
    schema: checkSchemaName(schema),
    timeoutMs,
    clock: clock ?? createSystemClock(),
  };
}
