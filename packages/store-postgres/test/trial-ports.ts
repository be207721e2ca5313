import type { Clock } from "@eoc/core";
import { createPostgresRuntime } from "@eoc/store-postgres";
import pg from "pg";

export { createSystemClock, execute } from "@eoc/core";

/** The ports of this package as it ships, for the processes of a trial. */
export async function open(url: string, schema: string, clock: Clock) {
  const pool = new pg.Pool({ connectionString: url, max: 20 });
  pool.on("error", () => {});
  const runtime = await createPostgresRuntime({ pool, schema, clock });
  return {
    ...runtime,
    async close() {
      await runtime.close();
      await pool.end();
    },
  };
}
