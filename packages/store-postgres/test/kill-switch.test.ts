import { afterAll, describe, expect, it } from "vitest";
import { listenTo } from "../../../tools/store-trials/listen-to.js";
import { createPostgresKillSwitch, migratePostgres } from "../src/index.js";
import { DRIVERS, freshSchema, noServer, pgPool, url } from "./support.js";

/** So long that a test would time out before a poll helped. */
const NO_POLL = 600_000;

describe.skipIf(noServer)("the kill switch", () => {
  const admin = pgPool(4);
  afterAll(() => admin.end());

  const freshSwitchSchema = async () => {
    const schema = freshSchema();
    await migratePostgres({ pool: admin, schema });
    return schema;
  };
  /** Ends every connection of one pool, as a server that is restarted does. */
  const endConnections = (name: string) =>
    admin.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", [name]);

  it.each(DRIVERS)("S2.4 a halt is notified to who watches through another pool ($name)", async ({ open }) => {
    const schema = await freshSwitchSchema();
    const { pool, end } = open(3);
    const watching = createPostgresKillSwitch({ pool, schema, pollMs: NO_POLL });
    const throwing = createPostgresKillSwitch({ pool: admin, schema });
    const elsewhere = createPostgresKillSwitch({ pool: admin, schema, name: "another" });
    const { heard, until } = listenTo(watching);
    await throwing.halt("before it listened");
    await until((state) => state?.reason === "before it listened");
    await elsewhere.halt("another switch");
    await throwing.clear();
    await until((state) => state?.halted === false);
    await throwing.halt("after");
    await until((state) => state?.reason === "after");
    expect(heard.map(({ reason }) => reason)).toEqual(["before it listened", undefined, "after"]);
    await watching.close();
    await end();
  });

  it("S2.4 a halt is polled for where nothing listens", async () => {
    const schema = await freshSwitchSchema();
    const watching = createPostgresKillSwitch({ pool: admin, schema, pollMs: 20, listen: "off" });
    const { until } = listenTo(watching);
    const throwing = createPostgresKillSwitch({ pool: admin, schema });
    await throwing.halt("polled");
    await until((state) => state?.reason === "polled");
    await watching.close();
  });

  it.each(DRIVERS)("S2.3 a connection that is lost halts, and comes back by itself ($name)", async ({ open }) => {
    const schema = await freshSwitchSchema();
    const { pool, end } = open(3, `${url}?application_name=${schema}`);
    const watching = createPostgresKillSwitch({ pool, schema, pollMs: NO_POLL });
    const { heard, until } = listenTo(watching);
    const throwing = createPostgresKillSwitch({ pool: admin, schema });
    await throwing.halt("ready");
    await until((state) => state?.reason === "ready");
    await throwing.clear();
    await until((state) => state?.halted === false);
    heard.length = 0;
    await endConnections(schema);
    await until((state) => state?.halted === false);
    expect(heard.map(({ halted }) => halted)).toEqual([true, false]);
    await throwing.halt("again");
    await until((state) => state?.reason === "again");
    await watching.close();
    await end();
  });

  it("S2.2 an older answer that comes later changes nothing", async () => {
    const schema = await freshSwitchSchema();
    const held: (() => void)[] = [];
    const slow = {
      connect: () => admin.connect(),
      query: async (config: { text: string; values?: unknown[] }) => {
        const result = await admin.query(config);
        if (config.text.includes("pg_is_in_recovery")) await new Promise<void>((resolve) => held.push(resolve));
        return result;
      },
    };
    const watching = createPostgresKillSwitch({ pool: slow, schema, pollMs: NO_POLL, listen: "off" });
    const { heard } = listenTo(watching);
    await watching.halt("now");
    while (held.length === 0) await new Promise((resolve) => setImmediate(resolve));
    for (const answer of held) answer();
    await watching.close();
    expect(heard).toEqual([{ halted: true, reason: "now" }]);
  });

  it("says who changed it, and when", async () => {
    const schema = await freshSwitchSchema();
    const killSwitch = createPostgresKillSwitch({ pool: admin, schema });
    expect(await killSwitch.read()).toEqual({ halted: false });
    await killSwitch.halt("incident 7", "ops@example.com");
    const changedAtMs = expect.any(Number);
    expect(await killSwitch.read()).toEqual({
      halted: true,
      reason: "incident 7",
      changedBy: "ops@example.com",
      changedAtMs,
    });
    await killSwitch.clear();
    expect(await killSwitch.read()).toEqual({ halted: false, changedAtMs });
  });

  it("keeps 500 characters of a reason, of any kind, and tells them", async () => {
    const schema = await freshSwitchSchema();
    const watching = createPostgresKillSwitch({ pool: admin, schema, pollMs: NO_POLL });
    const { until } = listenTo(watching);
    const throwing = createPostgresKillSwitch({ pool: admin, schema });
    await throwing.halt("\u0001".repeat(10_000));
    await until((state) => state?.reason === "\u0001".repeat(500));
    expect(await watching.read()).toMatchObject({ halted: true, reason: "\u0001".repeat(500) });
    await throwing.halt("a\0b\\c");
    await until((state) => state?.reason === "a\0b\\c");
    await watching.close();
  });

  it.each(DRIVERS)("close gives the connection back, and the pool stays open ($name)", async ({ open }) => {
    const schema = await freshSwitchSchema();
    const { pool, end } = open(2);
    for (let round = 0; round < 5; round++) {
      const watching = createPostgresKillSwitch({ pool, schema });
      const { until } = listenTo(watching);
      await watching.halt(`round ${round}`);
      await until((state) => state?.halted === true);
      await watching.close();
      expect(() => watching.subscribe(() => {})).toThrow(expect.objectContaining({ code: "closed" }));
      await expect(watching.read()).rejects.toMatchObject({ code: "closed" });
    }
    const again = createPostgresKillSwitch({ pool, schema });
    expect(await again.read()).toMatchObject({ halted: true, reason: "round 4" });
    await end();
  });
});
