import { type Clock, checkOptionNames, createSystemClock } from "@eoc/core";
import { checkDuration, refuseOption } from "@eoc/store-kit";
import { type Commands, commandsOf, type RedisClient } from "./client.js";
import type { RedisIdempotencyStoreOptions } from "./idempotency-store.js";
import type { RedisRuntimeOptions } from "./runtime.js";

/** What every part of this package is opened with. */
export interface RedisOptions {
  /** A client of `ioredis` or `redis`, single or cluster, connected. It stays yours: close what uses it, then end it. */
  client: RedisClient;
  /**
   * What all keys begin with, as a hash tag: in a cluster they live on one node, together. Parts that need not share
   * anything may have prefixes of their own. @defaultValue "eoc"
   */
  prefix?: string;
  /** How long one call may take before it rejects, a queue of the client included. @defaultValue 5000 */
  timeoutMs?: number;
  /** Times the waits of this process. Leases, records and windows go by the server's clock. @defaultValue the system clock */
  clock?: Clock;
}

export interface Settings {
  readonly commands: Commands;
  /** The prefix with its hash tag. */
  readonly tag: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

type EveryOption = RedisIdempotencyStoreOptions & RedisRuntimeOptions;

/** Of every part of this package: they may share one object of options. */
const OPTIONS = {
  client: true,
  prefix: true,
  timeoutMs: true,
  clock: true,
  name: true,
  pollMs: true,
  abandonedAfterMs: true,
  onFailover: true,
} as const satisfies Record<keyof EveryOption, true>;

/** @throws EocError `invalid_option` */
export function settingsOf(options: RedisOptions): Settings {
  checkOptionNames<Partial<EveryOption>>(options, OPTIONS);
  const { client, prefix = "eoc", timeoutMs = 5000, clock } = options;
  checkDuration("timeoutMs", timeoutMs);
  if (typeof prefix !== "string" || !/^[^{}]{1,200}$/.test(prefix)) {
    refuseOption("prefix", "1 to 200 characters without braces", prefix);
  }
  return { commands: commandsOf(client), tag: `{${prefix}}`, timeoutMs, clock: clock ?? createSystemClock() };
}
