import { type ExecuteOptions, execute } from "@eoc/core";
import { describe, expect, it } from "vitest";
import { countingClock, sockets } from "../../../tools/store-trials/left-open.js";
import { createPostgresRuntime } from "../src/index.js";
import { DRIVERS, freshSchema, noServer } from "./support.js";

describe.skipIf(noServer).each(DRIVERS)("createPostgresRuntime ($name)", ({ open }) => {
  it("is spread into the options of execute, with or without more of them", async () => {
    const { pool, end } = open(3);
    const runtime = await createPostgresRuntime({ pool, schema: freshSchema() });
    const policy = { idempotency: { enabled: true }, rateLimit: { global: { limit: 5, windowMs: 1000 } } };
    const run = (options: ExecuteOptions) => execute({ action: "ACT" }, {}, policy, () => ({ ok: true }), options);
    expect(await run({ ...runtime, executionId: "e" })).toMatchObject({ status: "success", replayedCount: 0 });
    expect(await run(runtime)).toMatchObject({ status: "success", replayedCount: 1 });
    await runtime.close();
    await end();
  });
});

describe.skipIf(noServer).each(DRIVERS)("after close ($name)", ({ open }) => {
  it("no timer is armed, no background work runs, and nothing keeps the pool from ending", async () => {
    const before = sockets();
    const { clock, armed } = countingClock();
    const { pool, end } = open(3);
    const runtime = await createPostgresRuntime({ pool, schema: freshSchema(), clock });
    runtime.killSwitch.subscribe(() => {});
    await runtime.killSwitch.halt("test");
    const { token } = (await runtime.idempotencyStore.claim("key", { fingerprint: "f", leaseMs: 1000, nowMs: 0 })) as {
      token: number;
    };
    const permit = await runtime.rateLimiter.acquire([{ key: "k", limit: 1, windowMs: 1000 }], 0);
    if (permit.granted) permit.dispatched?.(0);
    await runtime.idempotencyStore.release("key", token);
    expect(armed()).toBeGreaterThan(0);
    await runtime.close();
    expect(armed()).toBe(0);
    await end();
    while (sockets() > before) await new Promise((resolve) => setImmediate(resolve));
  });
});
