import type { IdempotencyEntry, IdempotencyState, KillSwitch } from "@eoc/core";
import type { CliIo } from "../io.js";
import { UsageError } from "../usage-error.js";
import { call, type Loaded, loadPackage } from "./load-package.js";
import { refusalOf } from "./refusal.js";
import { ANSWER_MS, type Connection, connectPostgres, connectRedis } from "./server-drivers.js";
import { parseStoreAddress, type StoreAddress } from "./store-address.js";

/** What stores tell of a key beyond what all of them tell. */
export interface KeyEntry extends IdempotencyEntry {
  readonly token?: number;
  readonly claimedAtMs?: number;
  readonly startedAtMs?: number;
  readonly leaseUntilMs?: number;
}

/** The keys of any of our stores. */
export interface OperatorKeys {
  list(filter?: { state?: IdempotencyState; after?: string; limit?: number }): Promise<readonly KeyEntry[]>;
  /** Where there is one, a key is found without reading all of them. */
  find?(key: string): Promise<KeyEntry | undefined>;
  resolve(key: string, outcome: "applied" | "not_applied"): Promise<boolean>;
}

/** The kill switch of any of our stores. */
export interface OperatorSwitch extends KillSwitch {
  halt(reason?: string, by?: string): Promise<void>;
  clear(by?: string): Promise<void>;
}

/** Which part of a store is meant, where there are several. */
export interface StoreParts {
  /** Of PostgreSQL: where the tables are. */
  readonly schema?: string | undefined;
  /** Of Redis: what all keys begin with. */
  readonly prefix?: string | undefined;
  /** Of either: which switch. */
  readonly switch?: string | undefined;
}

interface OpenedStore {
  readonly keys: OperatorKeys;
  readonly killSwitch: OperatorSwitch;
  close(): Promise<void>;
}

type Closable = { close(): Promise<void> };

/**
 * Opens a store for as long as `use` takes. What a store has against it is a UsageError, without the secrets of its address.
 * @throws UsageError
 */
export async function withStore<T>(
  text: string,
  parts: StoreParts,
  io: CliIo,
  use: (store: OpenedStore) => Promise<T>,
): Promise<T> {
  const address = parseStoreAddress(text);
  checkParts(address, parts);
  let store: OpenedStore | undefined;
  try {
    store = await OPENERS[address.kind](address.target, parts, io);
    return await use(store);
  } catch (error) {
    throw refusalOf(error, address);
  } finally {
    await store?.close();
  }
}

/** @throws UsageError for a part that this kind of store does not have */
function checkParts({ kind }: StoreAddress, parts: StoreParts): void {
  const known: readonly string[] = { sqlite: [], postgres: ["schema", "switch"], redis: ["prefix", "switch"] }[kind];
  for (const [name, value] of Object.entries(parts)) {
    if (value !== undefined && !known.includes(name)) throw new UsageError(`--${name} means nothing for ${kind}`);
  }
}

const OPENERS = { sqlite: openSqlite, postgres: openPostgres, redis: openRedis } as const;

async function openSqlite(path: string, _: StoreParts, io: CliIo): Promise<OpenedStore> {
  const { module } = await loadPackage(["@eoc/store-sqlite"], io);
  // Not made where there is none: a mistyped path is not to be answered with "nothing in doubt".
  const runtime = (await call(module, "createLocalRuntime", path, { create: false })) as Closable & {
    idempotencyStore: OperatorKeys;
    killSwitch: OperatorSwitch;
  };
  const { idempotencyStore, killSwitch } = runtime;
  return { keys: idempotencyStore, killSwitch, close: () => runtime.close() };
}

async function openPostgres(address: string, { schema, switch: name }: StoreParts, io: CliIo): Promise<OpenedStore> {
  const { module } = await loadPackage(["@eoc/store-postgres"], io);
  const connection = await connectPostgres(address, io);
  const options = { pool: connection.client, timeoutMs: ANSWER_MS, ...given({ schema }) };
  return overServer(connection, module, {
    createPostgresIdempotencyStore: options,
    createPostgresKillSwitch: { ...options, ...given({ name }) },
  });
}

async function openRedis(address: string, { prefix, switch: name }: StoreParts, io: CliIo): Promise<OpenedStore> {
  const { module } = await loadPackage(["@eoc/store-redis"], io);
  const connection = await connectRedis(address, io);
  const options = { client: connection.client, timeoutMs: ANSWER_MS, ...given({ prefix }) };
  return overServer(connection, module, {
    createRedisIdempotencyStore: { ...options, onFailover: "may_dispatch_again" },
    createRedisKillSwitch: { ...options, ...given({ name }) },
  });
}

/** The two factories, keys first, each called with its options. */
async function overServer(
  { end }: Connection,
  module: Loaded,
  factories: Readonly<Record<string, object>>,
): Promise<OpenedStore> {
  try {
    const [keys, killSwitch] = Object.entries(factories).map(([name, options]) => call(module, name, options)) as [
      OperatorKeys & Closable,
      OperatorSwitch & Closable,
    ];
    return { keys, killSwitch, close: () => end(Promise.all([keys.close(), killSwitch.close()])) };
  } catch (error) {
    await end();
    throw error;
  }
}

/** What was given of these. */
function given(options: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
