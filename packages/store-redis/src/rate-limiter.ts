import type { RateLimiter, RateRequest, RateVerdict } from "@eoc/core";
import { checkDuration, encodeKey } from "@eoc/store-kit";
import { Calls, type Reply } from "./calls.js";
import { LIMITER_SCRIPT } from "./limiter-script.js";
import { type RedisOptions, settingsOf } from "./options.js";
import { StoreError } from "./store-error.js";

/** No window is longer: beyond, Redis cannot count, and nobody will ask. */
const LONGEST_MS = 1e15;

/** Options of {@link createRedisRateLimiter}. Times are milliseconds. */
export interface RedisRateLimiterOptions extends RedisOptions {
  /**
   * When a permit that was neither stamped nor handed back counts as started: its process must be dead by then. Longer
   * than any dispatch may take between its permit and its start, which is two of the policy's `portTimeoutMs`.
   * @defaultValue 60000
   */
  abandonedAfterMs?: number;
}

/** A rate limiter that rejects with a `StoreError` when it cannot tell. */
export interface RedisRateLimiter extends RateLimiter {
  acquire(requests: readonly RateRequest[], nowMs: number): Promise<RateVerdict>;
  /** Refuses further calls, and waits for the stamps that are on their way. The client stays open. */
  close(): Promise<void>;
}

/**
 * An exact sliding log in a Redis that processes share (S6): one script for each call. It goes by the server's clock. A
 * permit is stamped when the server hears of the dispatch, so that a window never holds more starts than the limit
 * says, but may hold fewer. A failover that loses writes forgets the starts that it lost.
 * @throws EocError `invalid_option`
 */
export function createRedisRateLimiter(options: RedisRateLimiterOptions): RedisRateLimiter {
  const calls = new Calls(settingsOf(options));
  const { abandonedAfterMs = 60_000 } = options;
  checkDuration("abandonedAfterMs", abandonedAfterMs);
  const handingBack = new Set<Promise<void>>();

  const handBack = (keys: readonly string[], grant: string) => {
    const done = calls.inBackground(() => calls.run(LIMITER_SCRIPT, keys, ["cancel", grant]));
    handingBack.add(done);
    void done.finally(() => handingBack.delete(done));
  };

  const permit = (keys: readonly string[], limits: readonly string[], grant: string): RateVerdict => {
    let open = true;
    const close = (then: () => void) => {
      if (!open) return;
      open = false;
      then();
    };
    const stamp = () => calls.run(LIMITER_SCRIPT, keys, ["stamp", grant, ...limits]);
    return {
      granted: true,
      // Sent when the executor has been called, not just before: the stamp is never earlier than the start. One that
      // does not arrive leaves the permit open: it counts for longer, never for less.
      dispatched: () => close(() => queueMicrotask(() => void calls.inBackground(stamp))),
      cancel: () => close(() => handBack(keys, grant)),
    };
  };

  return {
    async acquire(requests) {
      const keys = ["grants", ...requests.flatMap(({ key }) => [`rate:${encodeKey(key)}`, `window:${encodeKey(key)}`])];
      const limits = requests.flatMap(({ limit, windowMs }) => [String(limit), String(Math.min(windowMs, LONGEST_MS))]);
      const tooLate = ([word, grant]: Reply) => {
        if (word === "granted") handBack(keys, grant!);
      };
      // What this process has handed back is free for its next request.
      if (handingBack.size > 0) await Promise.all(handingBack);
      const values = ["acquire", String(abandonedAfterMs), ...limits];
      const [word, answer] = await calls.run(LIMITER_SCRIPT, keys, values, tooLate);
      if (word === "granted") return permit(keys, limits, answer!);
      if (word === "refused") return { granted: false, retryAfterMs: Math.max(1, Number(answer)) };
      throw new StoreError("corrupt", "the limiter's script answered something else");
    },
    close: () => calls.close(),
  };
}
