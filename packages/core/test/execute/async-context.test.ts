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

  it("is the caller's own after waits for a key, a throttle and a rate limit, and in whatever is asked on the way", async () => {
    const storage = new AsyncLocalStorage<string>();
    const idempotencyStore = createMemoryIdempotencyStore();
    const rateLimiter = createMemoryRateLimiter();
    const wrong = new Set<string>();
    const asked = new Set<string>();
    const check = (who: string, id: string) => {
      asked.add(who);
      if (storage.getStore() !== id) wrong.add(`${who} of ${id} saw ${storage.getStore()}`);
    };
    const one = (id: string) =>
      storage.run(id, async () => {
        let calls = 0;
        const report = await execute(
          {
            action: "ACT",
            actions: [{ action: "ACT", id: "a", idempotency_key: "shared" }, { action: "ACT" }],
            throttle_ms: 3,
          },
          { id },
          {
            onFailure: "continue",
            defaultEffect: "idempotent",
            retry: { maxRetries: 1, initialBackoffMs: 1 },
            timeout: { maxTotalTimeMs: 4000 },
            rateLimit: { global: { limit: 1, windowMs: 4 } },
            idempotency: {
              enabled: true,
              onInProgress: "wait",
              keyGenerator: () => {
                check("key generator", id);
                return id;
              },
            },
          },
          {
            execute: async () => {
              check("executor", id);
              if (calls++ === 0) throw new Error("lost");
              return { ok: true };
            },
            reconcile: async () => {
              check("reconcile", id);
              return { state: "not_applied" };
            },
          },
          {
            idempotencyStore,
            rateLimiter,
            killSwitch: {
              read: async () => {
                check("kill switch", id);
                return { halted: false };
              },
            },
            journal: {
              append: async (event) => check(`journal: ${event.type}`, id),
            },
            onEvent: (event) => check(event.type === "wait.finished" ? `after ${event.cause}` : event.type, id),
          },
        );
        check("continuation", id);
        return report.status;
      });

    expect(await Promise.all(["one", "two", "three"].map(one))).toEqual(["success", "success", "success"]);
    expect([...wrong]).toEqual([]);
    expect([...asked]).toEqual(
      expect.arrayContaining([
        ...["after throttle", "after claim", "after rate_limit", "after backoff"],
        ...["key generator", "reconcile", "kill switch", "journal: attempt.intended", "continuation"],
      ]),
    );
  });

  it("is the caller's own when an executor settles after the report", async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    let answer = () => {};
    await storage.run("caller", () =>
      execute(
        { action: "ACT" },
        {},
        { timeout: { attemptTimeoutMs: 2, abortGraceMs: 1 } },
        () =>
          new Promise((resolve) => {
            answer = () => resolve({ ok: true });
          }),
        { onEvent: ({ type }) => seen.push([type, storage.getStore()]) },
      ),
    );
    storage.run("somebody else", () => answer());
    await new Promise((resolve) => setImmediate(resolve));

    expect(seen.at(-1)).toEqual(["attempt.settled_late", "caller"]);
    expect(seen.filter((entry) => (entry as [string, string])[1] !== "caller")).toEqual([]);
  });
});
