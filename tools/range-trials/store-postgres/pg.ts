import { createPostgresRuntime } from "@eoc/store-postgres";
import pg from "pg";
import { settingOf, tryPorts } from "../ports-trial.js";

for (const statements of ["unnamed", "prepared"] as const) {
  const pools = [0, 1].map(() => new pg.Pool({ connectionString: settingOf("EOC_POSTGRES_URL"), max: 5 }));
  const schema = `${settingOf("EOC_TRIAL")}_pg_${statements}`;
  const [one, two] = await Promise.all(pools.map((pool) => createPostgresRuntime({ pool, schema, statements })));
  await tryPorts(one!, two!);
  await Promise.all([one!.close(), two!.close()]);
  await Promise.all(pools.map((pool) => pool.end()));
}
