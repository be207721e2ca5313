import type { VirtualClock } from "@eoc/testkit";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { inject } from "vitest";
import { countWork } from "../../../tools/store-trials/under-way.js";
import type { RedisClient } from "../src/index.js";

/** Where the server of this run is; tests that need it are skipped without it. */
export const url = inject("redisUrl") ?? "";

export const noServer = url === "";

/** A client, and how to end it. */
export interface Opened {
  readonly client: RedisClient;
  end(): void;
}

export function ioRedis(address = url): Redis {
  const client = new Redis(address, { maxRetriesPerRequest: 1 });
  client.on("error", () => {});
  return client;
}

export async function nodeRedis(address = url) {
  const client = createClient({ url: address });
  client.on("error", () => {});
  await client.connect();
  return client;
}

export const CLIENTS: readonly { readonly name: string; open(address?: string): Promise<Opened> }[] = [
  {
    name: "ioredis",
    open: async (address) => {
      const client = ioRedis(address);
      await client.ping();
      return { client, end: () => client.disconnect() };
    },
  },
  {
    name: "redis",
    open: async (address) => {
      const client = await nodeRedis(address);
      return { client, end: () => client.destroy() };
    },
  },
];

let prefixes = 0;

/** A prefix that no other test uses. */
export function freshPrefix(): string {
  return `t${process.pid}-${++prefixes}-${Date.now().toString(36)}`;
}

/** The scripts with another clock: the one that is kept beside the layout. */
const withVirtualTime = (text: string) =>
  text.replace("redis.call('TIME')", "redis.call('HMGET', KEYS[1] .. ':clock', 'seconds', 'micros')");

/** Where time is virtual, it stands still while there is work. */
type Hold = Pick<VirtualClock, "hold">;

const REAL_TIME: Hold = { hold: (_, work) => Promise.resolve(work) };

/**
 * A client whose work a virtual clock waits for, and whose scripts go by that clock, once it is set. `cut` makes it fail
 * from then on, as an unreachable server does.
 */
export function heldClient(
  client: RedisClient,
  clock: Hold = REAL_TIME,
): {
  client: RedisClient;
  cut: () => void;
  settle: () => Promise<void>;
  run: (text: string, key: string, ...values: string[]) => Promise<unknown>;
} {
  const { count, settle } = countWork();
  let isCut = false;
  const ends = new Set<() => void>();
  const held = <T>(what: string, work: () => Promise<T>): Promise<T> =>
    isCut ? Promise.reject(new Error("ECONNREFUSED")) : clock.hold(what, count(work()));
  const cut = () => {
    isCut = true;
    for (const end of ends) end();
  };
  // The servers never learn these digests: every call shows its script.
  const unknown = () => Promise.reject(new Error("NOSCRIPT"));
  const heldSubscriber = (subscriber: ReturnType<RedisClient["duplicate"]>) => ({
    connect: () => held("connect", async () => subscriber.connect()),
    // biome-ignore lint/suspicious/noExplicitAny: both clients' listeners.
    subscribe: (channel: string, listener?: any) => held("subscribe", () => subscriber.subscribe(channel, listener)),
    ping: () => held("ping", async () => subscriber.ping?.()),
    disconnect: () => {
      if ("destroy" in subscriber) subscriber.destroy?.();
      else subscriber.disconnect?.();
    },
    // biome-ignore lint/suspicious/noExplicitAny: both clients' listeners.
    on: (event: string, listener: (...values: any[]) => void) => {
      if (event === "end") ends.add(listener);
      return subscriber.on(event, listener);
    },
  });
  if ("evalSha" in client) {
    const run = (text: string, keys: string[], values: string[]) =>
      held("script", () => client.eval(withVirtualTime(text), { keys, arguments: values }));
    return {
      cut,
      settle,
      run: (text, key, ...values) => run(text, [key], values),
      client: {
        evalSha: unknown,
        eval: (text: string, { keys, arguments: values }: { keys: string[]; arguments: string[] }) =>
          run(text, keys, values),
        duplicate: (...overrides: unknown[]) => heldSubscriber(client.duplicate(...overrides)),
      },
    };
  }
  const run = (text: string, count: number, values: string[]) =>
    held("script", () => client.eval(withVirtualTime(text), count, ...values));
  return {
    cut,
    settle,
    run: (text, key, ...values) => run(text, 1, [key, ...values]),
    client: {
      isCluster: false,
      evalsha: unknown,
      eval: (text: string, count: number, ...values: string[]) => run(text, count, values),
      duplicate: (...overrides: unknown[]) => heldSubscriber(client.duplicate(...overrides)),
    },
  };
}

/** Sets the clock of a prefix to `clock`'s time, and moves it. */
export async function virtualTime(
  { run }: Pick<ReturnType<typeof heldClient>, "run">,
  prefix: string,
  clock: VirtualClock,
): Promise<(ms: number) => Promise<void>> {
  const micros = (ms: number) =>
    [Math.floor(ms / 1000), Math.round((ms % 1000) * 1000)].map(String) as [string, string];
  let nowMs = clock.now();
  const set = async () => {
    const text = "redis.call('HSET', KEYS[1], 'seconds', ARGV[1], 'micros', ARGV[2])";
    await run(text, `{${prefix}}:layout:clock`, ...micros(nowMs));
  };
  await set();
  return async (ms) => {
    nowMs += ms;
    await set();
  };
}
