import type { ListenHooks } from "@eoc/store-kit";
import type { Commands, RedisListening } from "./client.js";
import { isUnknownScript } from "./script.js";

interface ScriptArguments {
  keys: string[];
  arguments: string[];
}

// biome-ignore lint/suspicious/noExplicitAny: as node's event emitters are typed.
type Listener = (...values: any[]) => void;

/** A connection that listens, as `redis` makes it. */
export interface NodeRedisSubscriber {
  connect(): Promise<unknown>;
  // biome-ignore lint/suspicious/noExplicitAny: the types of its listeners depend on those of its replies.
  subscribe(channel: string, listener: (message: any) => unknown): Promise<unknown>;
  ping?(): Promise<unknown>;
  destroy?(): unknown;
  disconnect?(): unknown;
  on(event: string, listener: Listener): unknown;
}

/** The part of a client or cluster of `redis` that is used here. */
export interface NodeRedis {
  // biome-ignore lint/suspicious/noExplicitAny: its replies depend on types that its owner maps.
  evalSha(sha: string, values: ScriptArguments): Promise<any>;
  // biome-ignore lint/suspicious/noExplicitAny: its replies depend on types that its owner maps.
  eval(text: string, values: ScriptArguments): Promise<any>;
  // biome-ignore lint/suspicious/noExplicitAny: a client and a cluster are duplicated with options of their own.
  duplicate(overrides?: any): NodeRedisSubscriber;
}

export function isNodeRedis(client: unknown): client is NodeRedis {
  const { evalSha, duplicate } = (client ?? {}) as Partial<NodeRedis>;
  return typeof evalSha === "function" && typeof duplicate === "function";
}

export function nodeRedisCommands(client: NodeRedis): Commands {
  return {
    async run({ text, sha }, keys, values) {
      const all = { keys: [...keys], arguments: [...values] };
      try {
        return await client.evalSha(sha, all);
      } catch (error) {
        if (!isUnknownScript(error)) throw error;
        return client.eval(text, all);
      }
    },
    listen: (channel, hooks) => listen(subscriberOf(client), channel, hooks),
  };
}

/** A connection that does not come back by itself: whoever listens has to know that it was gone. */
function subscriberOf(client: NodeRedis): NodeRedisSubscriber {
  const { options } = client as { options?: { socket?: object; rootNodes?: unknown } };
  // A cluster has no socket of its own.
  if (options === undefined) return client.duplicate();
  return client.duplicate({ socket: { ...options.socket, reconnectStrategy: false } });
}

async function listen(
  subscriber: NodeRedisSubscriber,
  channel: string,
  { heard, lost }: ListenHooks,
): Promise<RedisListening> {
  let open = true;
  const drop = () => {
    open = false;
    try {
      // `destroy` since 5, `disconnect` before.
      const gone = subscriber.destroy === undefined ? subscriber.disconnect?.() : subscriber.destroy();
      Promise.resolve(gone).catch(() => {});
    } catch {
      // It was not open.
    }
  };
  const end = () => {
    if (!open) return;
    drop();
    lost();
  };
  for (const event of ["error", "end", "reconnecting"]) subscriber.on(event, end);
  try {
    await subscriber.connect();
    await subscriber.subscribe(channel, (message) => {
      if (open) heard(String(message));
    });
  } catch (error) {
    drop();
    throw error;
  }
  return { ping: async () => subscriber.ping?.(), leave: async () => drop(), drop };
}
