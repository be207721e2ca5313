import { type Contestant, verify, type Work } from "../contest.ts";
import { SlidingLog } from "../floors/sliding-log.ts";

/** Nobody is refused: what counts is what it costs to find that out. */
const LIMIT = 1000;
const WINDOW_MS = 10;

function limiting(keys: number, take: (key: string, nowMs: number) => boolean | Promise<boolean>): Contestant {
  const names = Array.from({ length: keys }, (_, key) => `tenant-${key}`);
  let turn = 0;
  return {
    async run(count) {
      for (let i = 0; i < count; i++) {
        // Time passes as it would under this load.
        const taken = take(names[turn % keys]!, turn * 0.02);
        turn++;
        verify(taken === true || (await taken), "a permit");
      }
    },
  };
}

function limiter(keys: number): Work {
  const name = keys === 1 ? "limiter" : `limiter-${keys}`;
  const title = keys === 1 ? "Rate limiter, one key" : `Rate limiter, ${keys.toLocaleString("en")} keys`;
  return {
    name,
    title,
    operation: "permit",
    floor: "sliding log by hand",
    contestants: {
      "sliding log by hand": () => {
        const logs = new Map<string, SlidingLog>();
        return limiting(keys, (key, nowMs) => {
          let log = logs.get(key);
          if (log === undefined) {
            log = new SlidingLog(LIMIT, WINDOW_MS);
            logs.set(key, log);
          }
          return log.take(nowMs) === 0;
        });
      },
      EOC: async () => {
        const { createMemoryRateLimiter } = await import("@eoc/core");
        const permits = createMemoryRateLimiter({ maxKeys: 200_000 });
        return limiting(keys, (key, nowMs) => {
          const verdict = permits.acquire([{ key, limit: LIMIT, windowMs: WINDOW_MS }], nowMs);
          if (verdict instanceof Promise || !verdict.granted) return false;
          verdict.dispatched?.(nowMs);
          return true;
        });
      },
      // Counts in buckets, so that twice the limit may start within one window.
      "rate-limiter-flexible": async () => {
        const { RateLimiterMemory } = await import("rate-limiter-flexible");
        const permits = new RateLimiterMemory({ points: 1_000_000_000, duration: 1 });
        return limiting(keys, async (key) => (await permits.consume(key)).consumedPoints > 0);
      },
    },
    shows:
      keys === 1
        ? [
            {
              show: 4,
              what: "exact limiter beside rate-limiter-flexible",
              value: (r) => r.ratio("EOC", "rate-limiter-flexible"),
              atMost: 0.5,
            },
          ]
        : [],
  };
}

export const limiters: readonly Work[] = [limiter(1), limiter(100_000)];
