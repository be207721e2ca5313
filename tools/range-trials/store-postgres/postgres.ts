import { createPostgresRuntime } from "@eoc/store-postgres";
import postgres from "postgres";
import { settingOf, tryPorts } from "../ports-trial.js";

for (const prepare of [true, false]) {
  const options = { fetch_types: false, max: 5, prepare, onnotice: () => {} };
  const pools = [0, 1].map(() => postgres(settingOf("EOC_POSTGRES_URL"), options));
  const schema = `${settingOf("EOC_TRIAL")}_postgres_${prepare}`;
  const [one, two] = await Promise.all(pools.map((pool) => createPostgresRuntime({ pool, schema })));
  await tryPorts(one!, two!);
  await Promise.all([one!.close(), two!.close()]);
  await Promise.all(pools.map((pool) => pool.end()));
}
