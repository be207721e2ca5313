import { afterAll, describe, expect, it } from "vitest";
import { listenTo } from "../../../tools/store-trials/listen-to.js";
import { createRedisKillSwitch } from "../src/index.js";
import { ask } from "./redis-server.js";
import { CLIENTS, freshPrefix, ioRedis, noServer, url } from "./support.js";

/** So long that a test would time out before a poll helped. */
const NO_POLL = 600_000;

describe.skipIf(noServer)("the kill switch", () => {
  const admin = ioRedis();
  afterAll(() => admin.disconnect());

  it.each(CLIENTS)("S2.4 a halt is published to who watches over another client ($name)", async ({ open }) => {
    const prefix = freshPrefix();
    const { client, end } = await open();
    const watching = createRedisKillSwitch({ client, prefix, pollMs: NO_POLL });
    const throwing = createRedisKillSwitch({ client: admin, prefix });
    const elsewhere = createRedisKillSwitch({ client: admin, prefix, name: "another" });
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
    end();
  });

  it("S2.4 a halt that was not heard of is polled for", async () => {
    const prefix = freshPrefix();
    const watching = createRedisKillSwitch({ client: admin, prefix, pollMs: 20 });
    const { until } = listenTo(watching);
    await admin.hset(`{${prefix}}:switch:default`, "version", "9000000000000000", "halted", "1", "reason", '"silent"');
    await until((state) => state?.reason === "silent");
    // A server that lost its newest writes is believed all the same.
    await admin.del(`{${prefix}}:switch:default`);
    await until((state) => state?.halted === false);
    await watching.close();
  });

  it.each(CLIENTS)("S2.3 a connection that is lost halts, and comes back by itself ($name)", async ({ open }) => {
    const prefix = freshPrefix();
    const { client, end } = await open();
    const watching = createRedisKillSwitch({ client, prefix, pollMs: NO_POLL });
    const { heard, until } = listenTo(watching);
    const throwing = createRedisKillSwitch({ client: admin, prefix });
    await throwing.halt("ready");
    await until((state) => state?.reason === "ready");
    await throwing.clear();
    await until((state) => state?.halted === false);
    heard.length = 0;
    await ask(Number(new URL(url).port), "CLIENT KILL TYPE pubsub");
    await until((state) => state?.halted === false);
    expect(heard.map(({ halted }) => halted)).toEqual([true, false]);
    await throwing.halt("again");
    await until((state) => state?.reason === "again");
    await watching.close();
    end();
  });

  it("says who changed it, and when", async () => {
    const prefix = freshPrefix();
    const killSwitch = createRedisKillSwitch({ client: admin, prefix });
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
    const prefix = freshPrefix();
    const watching = createRedisKillSwitch({ client: admin, prefix, pollMs: NO_POLL });
    const { until } = listenTo(watching);
    const throwing = createRedisKillSwitch({ client: admin, prefix });
    const reason = `\u0001\0\ud800 "\n`.repeat(100);
    await throwing.halt(reason);
    await until((state) => state?.reason === reason.slice(0, 500));
    expect(await watching.read()).toMatchObject({ halted: true, reason: reason.slice(0, 500) });
    await watching.close();
  });

  it("S2.3 a state that is no state is unreadable", async () => {
    const prefix = freshPrefix();
    const killSwitch = createRedisKillSwitch({ client: admin, prefix });
    for (const halted of ["", "2", "true"]) {
      await admin.hset(`{${prefix}}:switch:default`, "version", "1", "halted", halted, "reason", "null");
      await expect(killSwitch.read()).rejects.toMatchObject({ code: "corrupt" });
    }
  });

  it.each(CLIENTS)("close ends the connection that listens, and the client stays open ($name)", async ({ open }) => {
    const prefix = freshPrefix();
    const { client, end } = await open();
    const listeners = async () => Number((await admin.pubsub("NUMSUB", `{${prefix}}:switch:default:news`))[1]);
    for (let round = 0; round < 5; round++) {
      const watching = createRedisKillSwitch({ client, prefix });
      const { until } = listenTo(watching);
      await watching.halt(`round ${round}`);
      await until((state) => state?.halted === true);
      await watching.close();
      expect(() => watching.subscribe(() => {})).toThrow(expect.objectContaining({ code: "closed" }));
      await expect(watching.read()).rejects.toMatchObject({ code: "closed" });
    }
    while ((await listeners()) > 0);
    expect(await createRedisKillSwitch({ client, prefix }).read()).toMatchObject({ halted: true, reason: "round 4" });
    end();
  });
});
