import { type ListenHooks, type Listening, refuseOption } from "@eoc/store-kit";
import { type IoRedis, ioRedisCommands, isIoRedis } from "./io-redis.js";
import { isNodeRedis, type NodeRedis, nodeRedisCommands } from "./node-redis.js";
import type { Script } from "./script.js";

export interface RedisListening extends Listening {
  /** Resolves when the connection that listens has answered: it lives, and has missed nothing. */
  ping(): Promise<unknown>;
}

/** A Redis client, whichever it is. */
export interface Commands {
  /** One round trip; another one where the server does not know the script yet. */
  run(script: Script, keys: readonly string[], values: readonly string[]): Promise<unknown>;
  /** Listens on a connection of its own. Rejects where it cannot listen now. */
  listen(channel: string, hooks: ListenHooks): Promise<RedisListening>;
}

/** A `Redis` or `Cluster` of `ioredis`, or a connected client or cluster of `redis`. It stays yours: it is never ended here. */
export type RedisClient = IoRedis | NodeRedis;

/**
 * Wraps a user's client, told apart by its shape.
 * @throws EocError `invalid_option`
 */
export function commandsOf(client: RedisClient): Commands {
  if (isNodeRedis(client)) return nodeRedisCommands(client);
  if (isIoRedis(client)) return ioRedisCommands(client);
  return refuseOption("client", "a client of ioredis or redis", client);
}
