import type { VirtualClock } from "@eoc/testkit";
import pg from "pg";
import postgres from "postgres";
import { inject } from "vitest";
import { countWork } from "../../../tools/store-trials/under-way.js";
import { migratePostgres, type PostgresPool } from "../src/index.js";

/** Where the server of this run is; tests that need it are skipped without it. */
export const url = inject("postgresUrl") ?? "";

export const noServer = url === "";

/** A pool of `pg` whose lost connections are nobody's business. */
export function pgPool(max = 10, connectionString = url): pg.Pool {
  const pool = new pg.Pool({ connectionString, max, idleTimeoutMillis: 0 });
  pool.on("error", () => {});
  return pool;
}

export function postgresJs(max = 10, connectionString = url, more: { prepare?: boolean } = {}): postgres.Sql {
  // Without its query for types, whose failure it leaves unhandled when a connection breaks as it is made.
  return postgres(connectionString, { max, onnotice: () => {}, fetch_types: false, ...more });
}

/** Opens every connection of a pool, so that none begins to while time stands still. */
export async function warm(pool: pg.Pool, count = pool.options.max): Promise<void> {
  const clients = await Promise.all(Array.from({ length: count }, () => pool.connect()));
  for (const client of clients) client.release();
}

export interface Driver {
  readonly name: string;
  /** A pool, and how to end it. */
  open(max?: number, connectionString?: string): { pool: PostgresPool; end: () => Promise<void> };
}

export const DRIVERS: readonly Driver[] = [
  {
    name: "pg",
    open: (max, connectionString) => {
      const pool = pgPool(max, connectionString);
      return { pool, end: () => pool.end() };
    },
  },
  {
    name: "postgres",
    open: (max, connectionString) => {
      const sql = postgresJs(max, connectionString);
      return { pool: sql, end: () => sql.end({ timeout: 1 }) };
    },
  },
];

let schemas = 0;

/** A name that no other test uses. */
export function freshSchema(): string {
  return `t${process.pid}_${++schemas}_${Date.now().toString(36)}`;
}

/** Where time is virtual, it stands still while there is work. */
type Hold = Pick<VirtualClock, "hold">;

const REAL_TIME: Hold = { hold: (_, work) => Promise.resolve(work) };

/** A pool whose work a virtual clock waits for. `cut` makes it fail from then on, as an unreachable server does. */
export function heldPool(
  pool: PostgresPool,
  clock: Hold = REAL_TIME,
): { pool: PostgresPool; cut: () => void; settle: () => Promise<void> } {
  const { count, settle } = countWork();
  let isCut = false;
  const onCut = new Set<(error: Error) => void>();
  const held = <T>(what: string, work: () => PromiseLike<T>): Promise<T> =>
    isCut ? Promise.reject(new Error("ECONNREFUSED")) : clock.hold(what, count(Promise.resolve(work())));
  const cut = () => {
    isCut = true;
    for (const listener of onCut) listener(new Error("ECONNRESET"));
  };
  if ("unsafe" in pool) {
    const sql = () => {};
    const unsafe = (...values: Parameters<typeof pool.unsafe>) => held("statement", () => pool.unsafe(...values));
    const listen = (...values: Parameters<typeof pool.listen>) => held("listen", () => pool.listen(...values));
    return { pool: Object.assign(sql, { unsafe, listen }), cut, settle };
  }
  return {
    cut,
    settle,
    pool: {
      query: (config) => held("query", () => pool.query(config)),
      async connect() {
        const client = await held("connect", () => pool.connect());
        return {
          query: (config) => held("query", () => client.query(config)),
          on: (event, listener) => {
            if (event === "error") onCut.add(listener);
            return client.on(event, listener);
          },
          removeListener: (event, listener) => client.removeListener(event, listener),
          release: (error) => client.release(error),
        };
      },
    },
  };
}

/** The same while everything else goes by real time. */
export const schemaWithMovableClock = (admin: pg.Pool, clock: VirtualClock) =>
  schemaInVirtualTime(admin, clock, REAL_TIME);

/** A schema whose clock begins at `clock`'s time, and is moved with `advance`. */
export async function schemaInVirtualTime(
  admin: pg.Pool,
  clock: VirtualClock,
  { hold }: Hold = clock,
): Promise<{ schema: string; advance: (ms: number) => Promise<void> }> {
  const schema = freshSchema();
  await hold(
    "migration",
    (async () => {
      await migratePostgres({ pool: admin, schema });
      await admin.query(`
        CREATE UNLOGGED TABLE ${schema}.virtual_clock (at timestamptz NOT NULL);
        INSERT INTO ${schema}.virtual_clock VALUES (to_timestamp(${clock.now()} / 1000.0));
        CREATE OR REPLACE FUNCTION ${schema}.clock() RETURNS timestamptz LANGUAGE sql VOLATILE
          AS 'SELECT at FROM ${schema}.virtual_clock';`);
    })(),
  );
  const advance = async (ms: number) => {
    const text = `UPDATE ${schema}.virtual_clock SET at = at + $1::float8 * interval '1 millisecond'`;
    await hold("virtual clock", admin.query(text, [ms]));
  };
  return { schema, advance };
}
