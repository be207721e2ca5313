import type { Settings } from "./options.js";
import { StoreError } from "./store-error.js";

/** The version of the schema that this package works with. */
export const SCHEMA_VERSION = 1;

/**
 * Whether the schema is the one that this package works with.
 * @throws StoreError `schema_missing`, `schema_older`, `schema_newer` (rejects with it)
 */
export async function checkSchema({ database, schema }: Settings): Promise<void> {
  let found: number;
  try {
    const rows = await database.query(`SELECT max(version)::text AS version FROM ${schema}.schema_version`);
    found = Number(rows[0]?.["version"] ?? 0);
  } catch (error) {
    if (isMissing(error)) {
      throw new StoreError("schema_missing", `there is no schema "${schema}": run migratePostgres`, { cause: error });
    }
    throw error;
  }
  if (found > SCHEMA_VERSION) {
    const message = `the schema "${schema}" has version ${found}, and this package knows ${SCHEMA_VERSION}`;
    throw new StoreError("schema_newer", message);
  }
  if (found < SCHEMA_VERSION) {
    throw new StoreError("schema_older", `the schema "${schema}" has version ${found}: run migratePostgres`);
  }
}

/** `invalid_schema_name`, `undefined_table` */
function isMissing(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return code === "3F000" || code === "42P01";
}
