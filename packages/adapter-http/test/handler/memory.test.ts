import type { ExecutorResult } from "@eoc/core";
import { describe, expect, it } from "vitest";
import { aHeldExecutor, openHandler, problemOf, reportOf } from "./support.js";

describe("remembered executions", () => {
  it("are forgotten first in, first out, where there are too many", async () => {
    const { order, get } = openHandler({ remember: { maxExecutions: 2 } });
    const ids: string[] = [];
    for (let count = 0; count < 4; count++) ids.push((await reportOf(await order())).executionId);
    expect(await Promise.all(ids.map(async (id) => (await get(`/executions/${id}`)).status))).toEqual([
      404, 404, 200, 200,
    ]);
  });

  describe("that are too long together", () => {
    const aLong = { decision: { action: "ACT", actions: Array(20).fill({ action: "ACT" }) } };

    it("are forgotten first in, first out, but for the last", async () => {
      const { order, post, get } = openHandler({ remember: { maxBytes: 5000 } });
      const ids: string[] = [];
      const statuses = () => Promise.all(ids.map(async (id) => (await get(`/executions/${id}`)).status));
      for (let count = 0; count < 4; count++) ids.push((await reportOf(await order())).executionId);
      const [report, events] = await Promise.all([get(`/executions/${ids[3]}`), get(`/executions/${ids[3]}/events`)]);
      const length = (await report.text()).length + (await events.text()).length;
      // Two have room, three have not.
      expect([2 * length < 5000, 3 * length > 5000]).toEqual([true, true]);
      expect(await statuses()).toEqual([404, 404, 200, 200]);

      const long = await (await post("/execute", aLong)).text();
      expect(long.length).toBeGreaterThan(5000);
      ids.push((JSON.parse(long) as { executionId: string }).executionId);
      expect(await statuses()).toEqual([404, 404, 404, 404, 200]);
      ids.push((await reportOf(await order())).executionId);
      expect(await statuses()).toEqual([404, 404, 404, 404, 404, 200]);
    });

    it("keep a further one from beginning while they run, and are no weight when they are forgotten", async () => {
      const { held, execute, started } = aHeldExecutor();
      const { order, post, get, clock } = openHandler({
        executor: { execute: (action, attempt) => (action.id === "order-1" ? execute(action, attempt) : { ok: true }) },
        policy: { onFailure: "continue" },
        remember: { maxBytes: 300 },
      });
      const accepted = await order({ prefer: "respond-async" });
      await started;
      expect(await problemOf(await post("/execute", aLong))).toEqual([503, "too_many_executions"]);
      expect((await get(`/${accepted.headers.get("location")}`)).status).toBe(202);
      held.release({ ok: true });
      await clock.runUntilIdle();
      for (let count = 0; count < 5; count++) expect((await post("/execute", aLong)).status).toBe(200);
    });
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
