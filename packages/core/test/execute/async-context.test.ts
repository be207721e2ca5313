import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, it } from "vitest";
import {
  createBulkhead,
  createManualKillSwitch,
  createMemoryIdempotencyStore,
  createMemoryRateLimiter,
  createSystemClock,
  execute,
} from "../../src/index.js";
import { plan } from "../support.js";

describe("the caller's asynchronous context", () => {
  it("is what the executor, listeners, gates and the continuation see: after waits, in queues, under shared timers", async () => {
    const storage = new AsyncLocalStorage<number>();
    const clock = createSystemClock();
    const bulkhead = createBulkhead({ limit: 2 });
    const rateLimiter = createMemoryRateLimiter();
    const killSwitch = createManualKillSwitch();
    const idempotencyStore = createMemoryIdempotencyStore();
    const wrong: string[] = [];
    let seen = 0;
    const check = (who: string, id: number) => {
      seen++;
      if (storage.getStore() !== id) wrong.push(`${who} of ${id} saw ${storage.getStore()}`);
    };
    const one = (id: number) =>
      storage.run(id, async () => {
        const calls = [0, 0];
        const report = await execute(
          plan(2),
          { id },
          {
            defaultEffect: "idempotent",
            onFailure: "continue",
            maxConcurrency: 2,
            retry: { maxRetries: 3, initialBackoffMs: 2, jitter: "full" },
            timeout: { attemptTimeoutMs: 15, abortGraceMs: 5, maxTotalTimeMs: 4000 },
            rateLimit: { global: { limit: 20, windowMs: 10 } },
            idempotency: { enabled: true },
          },
          async (action, attempt) => {
            check("executor", id);
            const call = calls[action.index]!++;
            attempt.signal.addEventListener("abort", () => check("abort", id));
            if (call === 0) throw new Error("first");
            if (call === 1 && id % 3 === 0)
              return new Promise((_, reject) =>
                attempt.signal.addEventListener("abort", () => reject(new Error("aborted"))),
              );
            return { ok: true };
          },
          {
            clock,
            bulkhead,
            rateLimiter,
            killSwitch,
            idempotencyStore,
            gates: [
              async () => {
                check("gate", id);
                return { allow: true };
              },
            ],
            onEvent: ({ type }) => check(type, id),
          },
        );
        check("continuation", id);
        return report;
      });
    const reports = await Promise.all(Array.from({ length: 24 }, (_, id) => one(id)));
    expect(wrong).toEqual([]);
    expect(seen).toBeGreaterThan(24 * 20);
    expect(new Set(reports.map(({ status }) => status))).toEqual(new Set(["success"]));
  });

  it("is the caller's own after somebody else's halt, too", async () => {
    const storage = new AsyncLocalStorage<string>();
    const killSwitch = createManualKillSwitch();
    const controller = new AbortController();
    const seen = new Set<string | undefined>();
    const running = storage.run("caller", () =>
      Promise.all(
        [{ killSwitch }, { signal: controller.signal }].map((how) =>
          execute(
            { action: "ACT" },
            {},
            {},
            (_, { signal }) =>
              new Promise((_, reject) =>
                signal.addEventListener("abort", () => {
                  seen.add(storage.getStore());
                  reject(new Error("aborted"));
                }),
              ),
            { ...how, onEvent: () => seen.add(storage.getStore()) },
          ),
        ),
      ),
    );
    storage.run("somebody else", () => {
      killSwitch.halt();
      controller.abort();
    });
    const reports = await running;
    expect(reports.map(({ reason }) => reason)).toEqual(["kill_switch", "cancelled"]);
    expect([...seen]).toEqual(["caller"]);
  });
});
