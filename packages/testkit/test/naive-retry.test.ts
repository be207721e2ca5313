import { execute } from "@eoc/core";
import {
  aContext,
  aDecision,
  aPlan,
  createScriptedExecutor,
  createVirtualClock,
  createWorld,
  naiveRetry,
  rejects,
  type ScriptedStep,
  succeeds,
  succeedsLate,
  throws,
} from "@eoc/testkit";
import { describe, expect, it } from "vitest";

function naively(script: readonly ScriptedStep[], policy = {}) {
  const clock = createVirtualClock();
  const world = createWorld();
  const executor = createScriptedExecutor(script, { clock, world });
  return clock.run(async () => {
    const outcomes = await naiveRetry(aPlan(), policy, executor, { clock });
    return { outcomes, world, calls: executor.calls, tookMs: clock.monotonic() };
  });
}

async function withEoc(script: readonly ScriptedStep[], policy = {}) {
  const clock = createVirtualClock();
  const world = createWorld();
  const executor = createScriptedExecutor(script, { clock, world });
  const report = await clock.run(() => execute(aDecision(), aContext(), policy, executor, { clock }));
  return { report, world };
}

describe("naiveRetry", () => {
  it("applies one effect four times where execute applies it once and says unknown", async () => {
    const script = [succeedsLate(8000)];
    const naive = await naively(script);
    expect(naive.outcomes).toEqual([{ actionId: "action-0", dispatches: 4, succeeded: false }]);
    expect(naive.world.count("action-0")).toBe(4);

    const eoc = await withEoc(script);
    expect(eoc.report.status).toBe("unknown");
    expect(eoc.world.count("action-0")).toBe(1);
  });

  it("lets an attempt overlap the one before it", async () => {
    const { calls } = await naively([succeedsLate(8000)]);
    expect(calls[1]!.startedAtMs).toBeLessThan(calls[0]!.endedAtMs!);
  });

  it("repeats what threw after it was applied, and stops at the first success", async () => {
    const { outcomes, world } = await naively([throws(new Error("reply lost"), { applied: true }), succeeds()]);
    expect(outcomes).toEqual([{ actionId: "action-0", dispatches: 2, succeeded: true }]);
    expect(world.count()).toBe(2);
  });

  it("takes its retries and backoff from the policy", async () => {
    const { outcomes, tookMs } = await naively([rejects("busy")], { retry: { maxRetries: 2, maxBackoffMs: 150 } });
    expect(outcomes).toEqual([{ actionId: "action-0", dispatches: 3, succeeded: false }]);
    expect(tookMs).toBe(100 + 150);
  });
});
