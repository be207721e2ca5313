import type { ListenHooks } from "@eoc/store-kit";
import type { Commands, RedisListening } from "./client.js";
import { isUnknownScript } from "./script.js";

// biome-ignore lint/suspicious/noExplicitAny: as node's event emitters are typed.
type Listener = (...values: any[]) => void;

/** A connection that listens, as `ioredis` makes it. */
export interface IoRedisSubscriber {
  connect(): Promise<unknown>;
  subscribe(channel: string): Promise<unknown>;
  ping(): Promise<unknown>;
  disconnect(): void;
  on(event: string, listener: Listener): unknown;
}

/** The part of a `Redis` or a `Cluster` of `ioredis` that is used here. */
export interface IoRedis {
  readonly isCluster: boolean;
  evalsha(sha: string, count: number, ...values: string[]): Promise<unknown>;
  eval(text: string, count: number, ...values: string[]): Promise<unknown>;
  // biome-ignore lint/suspicious/noExplicitAny: a Redis is duplicated with options, a Cluster with nodes and options.
  duplicate(...overrides: any[]): IoRedisSubscriber;
}

export function isIoRedis(client: unknown): client is IoRedis {
  const { evalsha, duplicate } = (client ?? {}) as Partial<IoRedis>;
  return typeof evalsha === "function" && typeof duplicate === "function";
}

export function ioRedisCommands(client: IoRedis): Commands {
  return {
    async run({ text, sha }, keys, values) {
      try {
        return await client.evalsha(sha, keys.length, ...keys, ...values);
      } catch (error) {
        if (!isUnknownScript(error)) throw error;
        return client.eval(text, keys.length, ...keys, ...values);
      }
    },
    listen: (channel, hooks) => listen(subscriberOf(client), channel, hooks),
  };
}

/** A connection that does not come back by itself: whoever listens has to know that it was gone. */
function subscriberOf(client: IoRedis): IoRedisSubscriber {
  return client.isCluster
    ? client.duplicate([], { lazyConnect: true, clusterRetryStrategy: () => null })
    : client.duplicate({
        lazyConnect: true,
        retryStrategy: () => null,
        maxRetriesPerRequest: 0,
        autoResubscribe: false,
      });
}

async function listen(
  subscriber: IoRedisSubscriber,
  channel: string,
  { heard, lost }: ListenHooks,
): Promise<RedisListening> {
  let open = true;
  const drop = () => {
    open = false;
    subscriber.disconnect();
  };
  subscriber.on("error", () => {});
  subscriber.on("message", (from: string, message: string) => {
    if (open && from === channel) heard(message);
  });
  for (const end of ["close", "end"]) {
    subscriber.on(end, () => {
      if (!open) return;
      drop();
      lost();
    });
  }
  try {
    await subscriber.connect();
    await subscriber.subscribe(channel);
  } catch (error) {
    drop();
    throw error;
  }
  return { ping: () => subscriber.ping(), leave: async () => drop(), drop };
}
