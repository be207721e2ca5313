import { afterAll, describe, expect, it } from "vitest";
import { createPostgresIdempotencyStore, migratePostgres } from "../src/index.js";
import { DRIVERS, freshSchema, noServer, pgPool, postgresJs, url } from "./support.js";

const CLAIM = { fingerprint: "payload", leaseMs: 1000, nowMs: 0 };

describe.skipIf(noServer)("migratePostgres", () => {
  const pool = pgPool(25);
  afterAll(() => pool.end());

  const versionsOf = async (schema: string) =>
    (await pool.query(`SELECT version FROM ${schema}.schema_version`)).rows.map(({ version }) => version);

  it.each(DRIVERS)("makes a schema that can be used, and makes it once ($name)", async ({ open }) => {
    const { pool: own, end } = open(2);
    const schema = freshSchema();
    await migratePostgres({ pool: own, schema });
    const store = createPostgresIdempotencyStore({ pool: own, schema });
    expect(await store.claim("key", CLAIM)).toMatchObject({ state: "claimed" });
    await migratePostgres({ pool: own, schema });
    expect(await store.claim("key", CLAIM)).toMatchObject({ state: "in_progress" });
    expect(await versionsOf(schema)).toEqual([1]);
    await end();
  });

  it("may be run by 20 processes at once", async () => {
    const schema = freshSchema();
    await Promise.all(Array.from({ length: 20 }, () => migratePostgres({ pool, schema })));
    expect(await versionsOf(schema)).toEqual([1]);
  });

  it("refuses a schema that a newer version has made, and so does every store", async () => {
    const schema = freshSchema();
    await migratePostgres({ pool, schema });
    await pool.query(`INSERT INTO ${schema}.schema_version (version) VALUES (2)`);
    for (const own of [pool, postgresJs(1)]) {
      await expect(migratePostgres({ pool: own, schema })).rejects.toMatchObject({ code: "schema_newer" });
      const store = createPostgresIdempotencyStore({ pool: own, schema });
      await expect(store.claim("key", CLAIM)).rejects.toMatchObject({ code: "schema_newer" });
      if ("unsafe" in own) await own.end();
    }
  });

  it("a store without its schema says what to do, and works once that is done", async () => {
    const schema = freshSchema();
    const store = createPostgresIdempotencyStore({ pool, schema });
    await expect(store.claim("key", CLAIM)).rejects.toMatchObject({
      code: "schema_missing",
      message: expect.stringContaining("migratePostgres"),
    });
    await migratePostgres({ pool, schema });
    await pool.query(`DELETE FROM ${schema}.schema_version`);
    await expect(store.claim("key", CLAIM)).rejects.toMatchObject({ code: "schema_older" });
    await pool.query(`INSERT INTO ${schema}.schema_version (version) VALUES (1)`);
    expect(await store.claim("key", CLAIM)).toMatchObject({ state: "claimed" });
  });

  it("needs no right to create where there is nothing to do", async () => {
    const schema = freshSchema();
    await migratePostgres({ pool, schema });
    await pool.query(`
      CREATE ROLE ${schema} LOGIN;
      GRANT USAGE ON SCHEMA ${schema} TO ${schema};
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${schema};
      GRANT USAGE ON ALL SEQUENCES IN SCHEMA ${schema} TO ${schema};
      REVOKE INSERT, UPDATE, DELETE ON ${schema}.schema_version FROM ${schema};`);
    const limited = pgPool(2, url.replace("postgres@", `${schema}@`));
    await migratePostgres({ pool: limited, schema });
    const store = createPostgresIdempotencyStore({ pool: limited, schema });
    expect(await store.claim("key", CLAIM)).toMatchObject({ state: "claimed" });
    await expect(migratePostgres({ pool: limited, schema: freshSchema() })).rejects.toMatchObject({
      code: "unavailable",
    });
    await limited.end();
  });

  it.each(["Eoc", "e-oc", "1eoc", "pg_eoc", "", 'e"; DROP SCHEMA public', "e".repeat(41), 7])(
    "refuses the schema name %j",
    async (schema) => {
      await expect(migratePostgres({ pool, schema: schema as string })).rejects.toMatchObject({
        code: "invalid_option",
        issues: [{ path: "schema" }],
      });
    },
  );

  it("refuses what is no pool", () => {
    for (const own of [undefined, null, {}, () => {}, { query: () => {} }]) {
      expect(() => createPostgresIdempotencyStore({ pool: own as never })).toThrow(
        expect.objectContaining({ code: "invalid_option" }),
      );
    }
  });
});
