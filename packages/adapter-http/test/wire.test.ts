import { execute } from "@eoc/core";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createHandClock } from "./hand-clock.js";
import { anAction, anAttempt, outcomeOf } from "./support.js";
import { attemptsOf, MAX_RETRIES, WIRE_CASES, type WireCase } from "./wire-cases.js";
import { openWire } from "./wire-world.js";

// Real connections, on machines that may be busy.
vi.setConfig({ testTimeout: 30_000 });

const ATTEMPT_MS = 5000;

const cleanUps: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

async function openExecutor(wireCase: WireCase, method: "GET" | "POST", effects: 0 | 1, giveUp: () => void) {
  const wire = await openWire(wireCase, method, effects, giveUp);
  cleanUps.push(wire.destroy);
  return wire;
}

describe("a server that", () => {
  for (const wireCase of WIRE_CASES) {
    const { what, post, get, effects } = wireCase;

    for (const [method, outcome, ledgers] of [
      ["POST", post, effects],
      ["GET", get, [0]],
    ] as const) {
      const says = outcome.ok === "unknown" ? "unknown" : outcome.ok ? "applied" : "not applied";

      it(`S3.1 ${what}: a ${method} is ${says}`, async () => {
        for (const each of ledgers) {
          const controller = new AbortController();
          const { executor, world } = await openExecutor(wireCase, method, each, () => controller.abort());
          const attempt = anAttempt({ signal: controller.signal });
          expect(await outcomeOf(executor.execute(anAction(), attempt))).toEqual(outcome);
          expect(world.ledger).toHaveLength(method === "POST" ? each : 0);
          expect(world.paths.filter((path) => path !== "/orders")).toEqual([]);
        }
      });

      it(`S3.4 ${what}: a ${method} is dispatched ${attemptsOf(outcome)} times`, async () => {
        for (const each of ledgers) {
          const clock = createHandClock();
          const giveUp = () => clock.advance(ATTEMPT_MS);
          const { executor, world } = await openExecutor(wireCase, method, each, giveUp);
          const policy = {
            retry: { maxRetries: MAX_RETRIES, initialBackoffMs: 10 },
            timeout: { attemptTimeoutMs: ATTEMPT_MS, maxTotalTimeMs: 1_000_000 },
          };
          const effect = method === "POST" ? "once" : "none";
          const actions = [{ action: "ACT", effect } as const];
          const report = await execute({ action: "ACT", actions }, {}, policy, executor, {
            clock,
            onEvent(event) {
              if (event.type !== "wait.started" || event.untilMs === undefined) return;
              const wait = event.untilMs - clock.now();
              queueMicrotask(() => clock.advance(wait));
            },
          });
          expect(report.attemptCount).toBe(attemptsOf(outcome));
          expect(report.status).toBe(outcome.ok === "unknown" ? "unknown" : outcome.ok ? "success" : "failed");
          expect(world.ledger).toHaveLength(method === "POST" ? each : 0);
          expect(clock.pending).toBe(0);
        }
      });
    }
  }
});

describe("an unknown outcome", () => {
  it("is said of nothing that the wire could have settled: every such case is possible with and without the effect", () => {
    for (const { what, post, effects } of WIRE_CASES) {
      expect([what, post.ok === "unknown"]).toEqual([what, effects.length === 2]);
    }
  });
});
