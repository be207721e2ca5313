import type { ExecutorResult } from "@eoc/core";
import { describe, expect, it } from "vitest";
import { openHandler, reportOf } from "./support.js";

describe("remembered executions", () => {
  it("are forgotten first in, first out, where there are too many", async () => {
    const { order, get } = openHandler({ remember: { maxExecutions: 2 } });
    const ids: string[] = [];
    for (let count = 0; count < 4; count++) ids.push((await reportOf(await order())).executionId);
    expect(await Promise.all(ids.map(async (id) => (await get(`/executions/${id}`)).status))).toEqual([
      404, 404, 200, 200,
    ]);
  });

  it("are forgotten when they have been over for maxAgeMs", async () => {
    const { order, get, clock } = openHandler({ remember: { maxAgeMs: 1000 } });
    const { executionId } = await reportOf(await order());
    await clock.advance(999);
    expect((await get(`/executions/${executionId}`)).status).toBe(200);
    await clock.advance(1);
    expect((await get(`/executions/${executionId}`)).status).toBe(404);
    expect((await get(`/executions/${executionId}/events`)).status).toBe(404);
  });

  it("are never forgotten while they run, however long and however many others there are", async () => {
    const releases: ((result: ExecutorResult) => void)[] = [];
    const timeout = { attemptTimeoutMs: 60_000, maxTotalTimeMs: 60_000 };
    const { post, order, get, clock } = openHandler({
      policy: { timeout },
      executor: ({ id }) => (id === "slow" ? new Promise((resolve) => releases.push(resolve)) : { ok: true }),
      remember: { maxExecutions: 2, maxAgeMs: 10 },
    });
    const slow = { decision: { action: "ACT", actions: [{ action: "ACT", id: "slow" }] } };
    const { executionId } = await reportOf(await post("/execute", slow, { prefer: "respond-async" }));
    for (let count = 0; count < 5; count++) expect((await order()).status).toBe(200);
    await clock.advance(1000);
    expect((await get(`/executions/${executionId}`)).status).toBe(202);
    releases[0]!({ ok: true });
    await clock.runUntilIdle();
    expect((await get(`/executions/${executionId}`)).status).toBe(200);
  });
});
