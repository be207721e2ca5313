import { createPostgresRuntime } from "@eoc/store-postgres";
import pg from "pg";
import { printThroughput } from "../../../tools/store-trials/throughput.ts";
import { findPostgres, startPostgres } from "../test/postgres-server.ts";

/** What the store costs beside bare writes of the driver, in the same run: `node bench/throughput.ts` after a build. */
const bin = findPostgres();
if (bin === undefined) throw new Error("no PostgreSQL on this machine");
const server = await startPostgres(bin);
const pool = new pg.Pool({ connectionString: server.url, max: 50 });
const unnamed = await createPostgresRuntime({ pool });
const { idempotencyStore, rateLimiter, killSwitch, close } = await createPostgresRuntime({
  pool,
  statements: "prepared",
});
await pool.query("CREATE TABLE bare (key text PRIMARY KEY, value text)");

const claimed = async (key: string): Promise<string | number> => {
  const verdict = await idempotencyStore.claim(key, { fingerprint: "payload", leaseMs: 30_000, nowMs: 0 });
  if (verdict.state !== "claimed") throw new Error("not claimed");
  return verdict.token;
};
const acquire = (key: string, limit: number) => rateLimiter.acquire([{ key, limit, windowMs: 1000 }], 0);
const started = async (key: string) => {
  const verdict = await acquire(key, 1_000_000);
  if (verdict.granted) verdict.dispatched?.(0);
};
await acquire("full", 1);

await printThroughput({
  "bare: insert, then update, each committed": async (index) => {
    await pool.query({
      name: "insert",
      text: "INSERT INTO bare VALUES ($1, $2)",
      values: [`bare-${index}`, "claimed"],
    });
    await pool.query({
      name: "update",
      text: "UPDATE bare SET value = $2 WHERE key = $1",
      values: [`bare-${index}`, "completed"],
    });
  },
  "claim, complete": async (index) => {
    const key = `key-${index}`;
    await idempotencyStore.complete(key, await claimed(key), { value: index, ttlMs: 3_600_000 });
  },
  "claim, complete, statements unnamed": async (index) => {
    const key = `key-${index}`;
    const verdict = await unnamed.idempotencyStore.claim(key, { fingerprint: "payload", leaseMs: 30_000, nowMs: 0 });
    if (verdict.state !== "claimed") throw new Error("not claimed");
    await unnamed.idempotencyStore.complete(key, verdict.token, { value: index, ttlMs: 3_600_000 });
  },
  "claim, start, complete": async (index) => {
    const key = `key-${index}`;
    const token = await claimed(key);
    await idempotencyStore.start(key, token);
    await idempotencyStore.complete(key, token, { value: index, ttlMs: 3_600_000 });
  },
  "permits, granted and stamped, one key for all": () => started("hot"),
  "permits, granted and stamped, a key for each": (index) => started(`cold-${index}`),
  "permits, refused, one key for all": () => acquire("full", 1),
  "switch, read": () => killSwitch.read(),
});

await unnamed.close();
await close();
await pool.end();
await server.remove();
