import { type ExecuteOptions, execute } from "@eoc/core";
import { describe, expect, it } from "vitest";
import { countingClock, sockets } from "../../../tools/store-trials/left-open.js";
import { createRedisIdempotencyStore, createRedisRuntime } from "../src/index.js";
import { CLIENTS, freshPrefix, noServer } from "./support.js";

describe.skipIf(noServer).each(CLIENTS)("createRedisRuntime ($name)", ({ open }) => {
  it("is spread into the options of execute, with or without more of them", async () => {
    const { client, end } = await open();
    const runtime = createRedisRuntime({ client, prefix: freshPrefix() });
    const policy = { rateLimit: { global: { limit: 1, windowMs: 60_000 }, onExceeded: "deny" as const } };
    const run = (options: ExecuteOptions) => execute({ action: "ACT" }, {}, policy, () => ({ ok: true }), options);
    expect(await run({ ...runtime, executionId: "e" })).toMatchObject({ status: "success" });
    expect(await run(runtime)).toMatchObject({ status: "denied", reason: "rate_limited" });
    await runtime.close();
    end();
  });
});

describe.skipIf(noServer).each(CLIENTS)("after close ($name)", ({ open }) => {
  it("no timer is armed, no background work runs, and nothing of ours keeps its connection", async () => {
    const before = sockets();
    const { clock, armed } = countingClock();
    const { client, end } = await open();
    const options = { client, prefix: freshPrefix(), clock };
    const idempotencyStore = createRedisIdempotencyStore({ ...options, onFailover: "may_dispatch_again" });
    const runtime = createRedisRuntime(options);
    runtime.killSwitch.subscribe(() => {});
    await runtime.killSwitch.halt("test");
    const { token } = (await idempotencyStore.claim("key", { fingerprint: "f", leaseMs: 1000, nowMs: 0 })) as {
      token: number;
    };
    const permit = await runtime.rateLimiter.acquire([{ key: "k", limit: 1, windowMs: 1000 }], 0);
    if (permit.granted) permit.dispatched?.(0);
    await idempotencyStore.release("key", token);
    expect(armed()).toBeGreaterThan(0);
    await Promise.all([runtime.close(), idempotencyStore.close()]);
    expect(armed()).toBe(0);
    end();
    while (sockets() > before) await new Promise((resolve) => setImmediate(resolve));
  });
});
