import type { CliIo } from "../io.js";
import { call, type Loaded, loadPackage } from "./load-package.js";

/** How long a server may take to connect, and to answer. */
export const ANSWER_MS = 5000;

/** A pool or client of a driver, and how to end it. */
export interface Connection {
  readonly client: unknown;
  end(): Promise<void>;
}

interface Driven {
  on(event: "error", heard: (error: unknown) => void): void;
  connect(): Promise<unknown>;
  disconnect(): unknown;
  close(): Promise<unknown>;
  end(): Promise<void>;
}

type Constructor = new (...args: unknown[]) => Driven;

/** @throws UsageError when no driver is installed */
export async function connectPostgres(address: string, io: CliIo): Promise<Connection> {
  const { name, module } = await loadPackage(["pg", "postgres"], io);
  if (name === "postgres") {
    const options = { max: 2, connect_timeout: ANSWER_MS / 1000, onnotice() {} };
    const client = call(module, "default", address, options) as Driven;
    return { client, end: () => client.end() };
  }
  const options = { connectionString: address, max: 2, connectionTimeoutMillis: ANSWER_MS };
  const client = new (module["Pool"] as Constructor)(options);
  // A connection that is lost while it idles says so here; whoever asks next is told anyway.
  client.on("error", () => {});
  return { client, end: () => client.end() };
}

/** @throws UsageError when no driver is installed; `unavailable` with what the driver says against the address */
export async function connectRedis(address: string, io: CliIo): Promise<Connection> {
  const { name, module } = await loadPackage(["ioredis", "redis"], io);
  const { client, end } = name === "ioredis" ? ioRedis(module, address) : nodeRedis(module, address);
  let heard: unknown;
  client.on("error", (error) => {
    heard ??= error;
  });
  try {
    await client.connect();
  } catch (error) {
    await end().catch(() => {});
    // ioredis rejects with "Connection is closed." whatever closed it, which it has only told by an event.
    throw unavailable(heard ?? error);
  }
  return { client, end };
}

function unavailable(cause: unknown): Error {
  const { code, message } = cause as NodeJS.ErrnoException;
  return Object.assign(new Error(message, code === undefined ? undefined : { cause }), { code: "unavailable" });
}

function ioRedis(module: Loaded, address: string) {
  // Who types a command wants to hear that there is no server, and not to wait for one.
  const options = { lazyConnect: true, connectTimeout: ANSWER_MS, maxRetriesPerRequest: 1, retryStrategy: () => null };
  const client = new (module["Redis"] as Constructor)(address, options);
  return { client, end: async () => void client.disconnect() };
}

function nodeRedis(module: Loaded, address: string) {
  const socket = { connectTimeout: ANSWER_MS, reconnectStrategy: false };
  const client = call(module, "createClient", { url: address, socket }) as Driven;
  return { client, end: async () => void (await client.close()) };
}
