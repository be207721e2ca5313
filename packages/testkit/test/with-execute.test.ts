import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMemoryRateLimiter, type ExecutionEvent, type Executor, execute } from "@eoc/core";
import {
  aContext,
  aDecision,
  createFakeKillSwitch,
  createFlakyExecutor,
  createScriptedExecutor,
  createVirtualClock,
  createWorld,
  hangs,
  rejects,
  succeeds,
} from "@eoc/testkit";
import { describe, expect, it } from "vitest";

const PERSISTENT = { retry: { maxRetries: 3, initialBackoffMs: 1000 } };

/** Rejects three times, then succeeds, after real work each time. */
function afterRealWork(work: (attempt: number) => Promise<unknown>): { executor: Executor; ended: () => number } {
  let ended = 0;
  const executor: Executor = async (_action, { attempt }) => {
    await work(attempt);
    ended++;
    return attempt === 3 ? { ok: true } : { ok: false, code: "busy" };
  };
  return { executor, ended: () => ended };
}

describe("execute on a virtual clock", () => {
  it("runs four of four attempts that each await a real timer", async () => {
    for (const realMs of [2, 3]) {
      const clock = createVirtualClock();
      const { executor, ended } = afterRealWork(() => new Promise((resolve) => setTimeout(resolve, realMs)));
      const report = await clock.run(() => execute(aDecision(), aContext(), PERSISTENT, executor, { clock }));
      expect(report).toMatchObject({ status: "success", attemptCount: 4, totalLatencyMs: 7000 });
      expect(ended()).toBe(4);
    }
  });

  it("runs four of four attempts that each write and read a real file", async () => {
    const folder = await mkdtemp(join(tmpdir(), "eoc-"));
    const clock = createVirtualClock();
    const { executor } = afterRealWork(async (attempt) => {
      await writeFile(join(folder, "x"), String(attempt));
      await readFile(join(folder, "x"));
    });
    const report = await clock.run(() => execute(aDecision(), aContext(), PERSISTENT, executor, { clock }));
    await rm(folder, { recursive: true });
    expect(report).toMatchObject({ status: "success", attemptCount: 4, totalLatencyMs: 7000 });
  });

  it("runs four of four when it is driven by advance from outside", async () => {
    const clock = createVirtualClock();
    const { executor, ended } = afterRealWork(() => new Promise((resolve) => setTimeout(resolve, 2)));
    const running = execute(aDecision(), aContext(), PERSISTENT, executor, { clock });
    await clock.advance(7000);
    expect(ended()).toBe(4);
    expect((await running).status).toBe("success");
  });

  it("S4.6 leaves no timer armed", async () => {
    const clock = createVirtualClock();
    const executor = createScriptedExecutor([rejects("busy"), succeeds()], { clock });
    await clock.run(() => execute(aDecision(), aContext(), {}, executor, { clock }));
    expect(clock.pending).toBe(0);
  });

  it("S2.2 lets a fake kill switch halt in the middle of a backoff", async () => {
    const clock = createVirtualClock();
    const killSwitch = createFakeKillSwitch([], { clock });
    const executor = createScriptedExecutor([rejects("busy")], { clock });
    clock.setTimer(() => killSwitch.halt(), 50);
    const report = await clock.run(() => execute(aDecision(), aContext(), {}, executor, { clock, killSwitch }));
    expect(executor.calls).toHaveLength(1);
    expect(report).toMatchObject({ attemptCount: 1, totalLatencyMs: 50 });
    expect(killSwitch.listenerCount).toBe(0);
  });

  it("S4.1 settles although executor and kill switch hang", async () => {
    const clock = createVirtualClock();
    const executor = createScriptedExecutor([hangs({ ignoresAbort: true })], { clock });
    const report = await clock.run(() => execute(aDecision(), aContext(), {}, executor, { clock }));
    expect(report).toMatchObject({ status: "unknown", attemptCount: 1, failClosed: true });
    const killSwitch = createFakeKillSwitch(["hangs"]);
    const denied = await clock.run(() => execute(aDecision(), aContext(), {}, executor, { clock, killSwitch }));
    expect(denied).toMatchObject({ status: "denied", reason: "kill_switch_unavailable" });
  });
});

/** Retries, backoff and rate waits until thirty simulated minutes have passed. */
async function thirtyMinutes(seed: string): Promise<{ events: string; world: string; simulatedMs: number }> {
  const clock = createVirtualClock();
  const world = createWorld();
  const executor = createFlakyExecutor({ seed, clock, world, rates: { rejects: 0.4, throws: 0.1 } });
  const rateLimiter = createMemoryRateLimiter();
  const policy = {
    ...PERSISTENT,
    timeout: { maxTotalTimeMs: 600_000 },
    rateLimit: { global: { limit: 4, windowMs: 10_000 } },
    onFailure: "continue",
    defaultEffect: "idempotent",
  } as const;
  const events: ExecutionEvent[] = [];
  await clock.run(async () => {
    for (let number = 0; clock.monotonic() < 30 * 60_000; number++) {
      const actions = [0, 1, 2].map((index) => ({ action: "ACT" as const, id: `${number}-${index}` }));
      await execute(aDecision({ actions }), aContext(), policy, executor, {
        clock,
        rateLimiter,
        executionId: `execution-${number}`,
        seed,
        onEvent: (event) => events.push(event),
      });
    }
  });
  return { events: JSON.stringify(events), world: JSON.stringify(world.effects), simulatedMs: clock.monotonic() };
}

describe("thirty simulated minutes of retries, rate waits and backoff", () => {
  it("S8.4 give byte-identical events and effects for the same seed, and others for another", async () => {
    const first = await thirtyMinutes("seed");
    let fastestMs = Number.POSITIVE_INFINITY;
    for (let time = 0; time < 10; time++) {
      const begun = performance.now();
      const again = await thirtyMinutes("seed");
      fastestMs = Math.min(fastestMs, performance.now() - begun);
      expect(again).toEqual(first);
    }
    const minutes = (first.simulatedMs / 60_000).toFixed(1);
    console.log(`${minutes} simulated minutes in ${fastestMs.toFixed(1)} ms of real time (fastest of ten)`);
    expect(first.simulatedMs).toBeGreaterThanOrEqual(30 * 60_000);
    expect((await thirtyMinutes("other seed")).events).not.toBe(first.events);
  });

  it("and a thousand executions with two retries each are only a matter of milliseconds (printed)", async () => {
    const clock = createVirtualClock();
    const executor = createScriptedExecutor((_action, { attempt }) => (attempt < 2 ? rejects("busy") : succeeds()), {
      clock,
    });
    const begun = performance.now();
    for (let number = 0; number < 1000; number++) {
      await clock.run(() => execute(aDecision(), aContext(), {}, executor, { clock, executionId: `${number}` }));
    }
    console.log(`1,000 executions with two retries each in ${(performance.now() - begun).toFixed(1)} ms of real time`);
    expect(executor.calls).toHaveLength(3000);
    expect(clock.monotonic()).toBe(1000 * 300);
  });
});
