import { createSystemClock } from "@eoc/core";
import type { CliIo } from "../io.js";
import { call, type Loaded, loadPackage } from "./load-package.js";

/** How long a server may take to connect, and to answer. */
export const ANSWER_MS = 5000;

/** How long connections may take to end in good order. */
const END_MS = 1000;

/** A pool or client of a driver, and how to end it. */
export interface Connection {
  readonly client: unknown;
  /** Ends it when `before` is done. Takes {@link END_MS} at most, whatever that and the server do. */
  end(before?: Promise<unknown>): Promise<void>;
}

interface Driven {
  on(event: "error", heard: (error: unknown) => void): void;
  connect(): Promise<unknown>;
  end(options?: { timeout: number }): Promise<void>;
  disconnect(): unknown;
  /** Of `redis` since 5, and so is `destroy`. */
  close?(): Promise<unknown>;
  destroy?(): unknown;
}

type Constructor = new (...args: unknown[]) => Driven;

/** @throws UsageError when no driver is installed */
export async function connectPostgres(address: string, io: CliIo): Promise<Connection> {
  const { name, module } = await loadPackage(["pg", "postgres"], io);
  if (name === "postgres") {
    const options = { max: 2, connect_timeout: ANSWER_MS / 1000, onnotice() {} };
    const client = call(module, "default", address, options) as Driven;
    return { client, end: ending(() => client.end({ timeout: END_MS / 1000 })) };
  }
  // With a limit for queries, `pg` throws a connection away that does not answer: else no pool of it ever ends. After the store's limit,
  // whose message says more.
  const limits = { connectionTimeoutMillis: ANSWER_MS, query_timeout: ANSWER_MS + END_MS / 2 };
  const client = new (module["Pool"] as Constructor)({ connectionString: address, max: 2, ...limits });
  // A connection that is lost while it idles says so here; whoever asks next is told anyway.
  client.on("error", () => {});
  return { client, end: ending(() => client.end()) };
}

/**
 * @throws UsageError when no driver is installed; `unavailable` with what the driver says against the address; `timeout`
 */
export async function connectRedis(address: string, io: CliIo): Promise<Connection> {
  const { name, module } = await loadPackage(["ioredis", "redis"], io);
  const connection = name === "ioredis" ? ioRedis(module, address) : nodeRedis(module, address);
  const { client, end } = connection;
  let heard: unknown;
  client.on("error", (error) => {
    heard ??= error;
  });
  try {
    // A server that accepts connections, and says nothing, is told by no limit of a client.
    const isConnected = await isDoneWithin(ANSWER_MS, client.connect());
    if (!isConnected) {
      const message = `the server did not answer within ${ANSWER_MS} ms`;
      throw Object.assign(new Error(message), { code: "timeout" });
    }
  } catch (error) {
    await end();
    if ((error as NodeJS.ErrnoException).code === "timeout") throw error;
    // ioredis rejects with "Connection is closed." whatever closed it, which it has only told by an event.
    throw unavailable(heard ?? error);
  }
  return connection;
}

function unavailable(cause: unknown): Error {
  const { code, message } = cause as NodeJS.ErrnoException;
  return Object.assign(new Error(message, code === undefined ? undefined : { cause }), { code: "unavailable" });
}

function ioRedis(module: Loaded, address: string) {
  // Who types a command wants to hear that there is no server, and not to wait for one.
  const options = { lazyConnect: true, connectTimeout: ANSWER_MS, maxRetriesPerRequest: 1, retryStrategy: () => null };
  const client = new (module["Redis"] as Constructor)(address, options);
  return { client, end: ending(() => client.disconnect()) };
}

function nodeRedis(module: Loaded, address: string) {
  const socket = { connectTimeout: ANSWER_MS, reconnectStrategy: false };
  const client = call(module, "createClient", { url: address, socket }) as Driven;
  const close = () => (client.close === undefined ? client.disconnect() : client.close());
  const destroy = () => (client.destroy === undefined ? client.disconnect() : client.destroy());
  return { client, end: ending(close, destroy) };
}

/** Ends in good order what can be; what hangs, or fails to, is destroyed. Never rejects. */
function ending(close: () => unknown, destroy: () => unknown = () => {}): Connection["end"] {
  return async (before) => {
    const work = async () => {
      await before;
      await close();
    };
    try {
      if (!(await isDoneWithin(END_MS, work()))) await destroy();
    } catch {
      // It was not open.
    }
  };
}

/** Whether `work` was done in time. Rejects as it does. */
async function isDoneWithin(limitMs: number, work: Promise<unknown>): Promise<boolean> {
  let cancel = () => {};
  const timeUp = new Promise<false>((resolve) => {
    cancel = createSystemClock().setTimer(() => resolve(false), limitMs);
  });
  try {
    return await Promise.race([work.then(() => true), timeUp]);
  } finally {
    cancel();
  }
}
