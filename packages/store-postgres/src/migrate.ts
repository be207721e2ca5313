import { InTime } from "@eoc/store-kit";
import { errors } from "./calls.js";
import { migrationOf } from "./migrations.js";
import { type PostgresOptions, settingsOf } from "./options.js";
import { StoreError } from "./store-error.js";

/**
 * Makes the schema, or brings it to the version of this package: in one transaction, as often and by as many processes
 * at once as you like. Needs the right to create; where there is nothing to do, the right to read is enough.
 * @throws EocError `invalid_option`; StoreError `schema_newer`, `server_too_old`, `timeout`, `unavailable` (rejects with it)
 */
export async function migratePostgres(options: PostgresOptions): Promise<void> {
  const settings = settingsOf({ ...options, timeoutMs: options?.timeoutMs ?? 60_000 });
  try {
    await new InTime({ ...settings, errors }).within(settings.database.query(migrationOf(settings.schema)));
  } catch (error) {
    throw refusalOf(settings.schema, error);
  }
}

function refusalOf(schema: string, error: unknown): unknown {
  const { cause } = error as { cause?: { code?: unknown; message?: string } };
  if (cause?.code === "EOC01") {
    return new StoreError("schema_newer", `the schema "${schema}" was made by a newer version of this package`, {
      cause,
    });
  }
  if (cause?.code === "EOC02") return new StoreError("server_too_old", "PostgreSQL 12 or later is needed", { cause });
  return error;
}
