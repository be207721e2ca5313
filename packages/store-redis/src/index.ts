export type { RedisClient } from "./client.js";
export {
  createRedisIdempotencyStore,
  type RedisIdempotencyEntry,
  type RedisIdempotencyStore,
  type RedisIdempotencyStoreOptions,
  type RedisListFilter,
} from "./idempotency-store.js";
export type { IoRedis, IoRedisSubscriber } from "./io-redis.js";
export {
  createRedisKillSwitch,
  type RedisKillSwitch,
  type RedisKillSwitchOptions,
  type RedisKillSwitchState,
} from "./kill-switch.js";
export type { NodeRedis, NodeRedisSubscriber } from "./node-redis.js";
export type { RedisOptions } from "./options.js";
export { createRedisRateLimiter, type RedisRateLimiter, type RedisRateLimiterOptions } from "./rate-limiter.js";
export { createRedisRuntime, type RedisRuntime, type RedisRuntimeOptions } from "./runtime.js";
export { isStoreError, STORE_ERROR_CODES, StoreError, type StoreErrorCode } from "./store-error.js";
