import { createRedisKillSwitch, type RedisKillSwitch, type RedisKillSwitchOptions } from "./kill-switch.js";
import { createRedisRateLimiter, type RedisRateLimiter, type RedisRateLimiterOptions } from "./rate-limiter.js";

/** Options of {@link createRedisRuntime}: those of its ports. */
export type RedisRuntimeOptions = RedisKillSwitchOptions & RedisRateLimiterOptions;

/** The ports of this package that lose nothing that matters in a failover, to be spread into the options of `execute`. */
export interface RedisRuntime {
  readonly rateLimiter: RedisRateLimiter;
  readonly killSwitch: RedisKillSwitch;
  /** Closes every port. The client stays open. */
  close(): Promise<void>;
}

/**
 * Opens limiter and switch on one client. Keys are not among them: see `createRedisIdempotencyStore`.
 * @throws EocError `invalid_option`
 */
export function createRedisRuntime(options: RedisRuntimeOptions): RedisRuntime {
  const rateLimiter = createRedisRateLimiter(options);
  const killSwitch = createRedisKillSwitch(options);
  const methods = {
    async close() {
      await Promise.all([rateLimiter.close(), killSwitch.close()]);
    },
  };
  // On the prototype, where no spread finds it: `execute` knows no option of this name.
  return Object.assign(Object.create(methods) as typeof methods, { rateLimiter, killSwitch });
}
