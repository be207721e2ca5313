import { createMemoryRateLimiter } from "@eoc/core";
import { describe, expect, it } from "vitest";
import { openHandler } from "./support.js";

const rateLimit = { limit: 2, windowMs: 1000 };

describe("a handler's rate limit", () => {
  it("lets through what it allows in every window, and says when to come back", async () => {
    const { order, clock, effects } = openHandler({ rateLimit });
    const first = await order();
    expect(first.headers.get("ratelimit-policy")).toBe('"execute";q=2;w=1');
    await clock.advance(600);
    expect([(await order()).status, (await order()).status]).toEqual([200, 429]);
    await clock.advance(399);
    const refused = await order();
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1"]);
    await clock.advance(1);
    expect([(await order()).status, (await order()).status]).toEqual([200, 429]);
    expect(effects).toHaveLength(3);
  });

  it("counts by key where there is one", async () => {
    const key = (request: Request) => request.headers.get("x-who")!;
    const { order } = openHandler({ rateLimit: { limit: 1, windowMs: 1500, key } });
    const statuses = [];
    for (const who of ["a", "a", "b", "b"]) statuses.push((await order({ "x-who": who })).status);
    expect(statuses).toEqual([200, 429, 200, 429]);
    // Half a second cannot be said in the draft's whole seconds.
    expect((await order({ "x-who": "a" })).headers.get("ratelimit-policy")).toBe('"execute";q=1');
  });

  it("can be shared by handlers", async () => {
    const limiter = createMemoryRateLimiter();
    const [one, other] = [
      openHandler({ rateLimit: { ...rateLimit, limiter } }),
      openHandler({ rateLimit: { ...rateLimit, limiter } }),
    ];
    await one.order();
    await one.order();
    expect((await other.order()).status).toBe(429);
  });

  it("counts only who was let in", async () => {
    let open = false;
    const { order } = openHandler({ rateLimit: { limit: 1, windowMs: 1000 }, authorize: () => open });
    expect([(await order()).status, (await order()).status]).toEqual([403, 403]);
    open = true;
    expect((await order()).status).toBe(200);
  });

  it("does not stand in the way of anything but executing", async () => {
    const { order, get } = openHandler({ rateLimit: { limit: 1, windowMs: 1000 } });
    const { executionId } = (await (await order()).json()) as { executionId: string };
    const paths = ["/health", `/executions/${executionId}`, `/executions/${executionId}/events`];
    expect(await Promise.all(paths.map(async (path) => (await get(path)).status))).toEqual([200, 200, 200]);
  });
});
