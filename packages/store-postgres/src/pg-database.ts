import type { ListenHooks } from "@eoc/store-kit";
import type { Database, Param, PostgresListening, Row } from "./database.js";

interface PgQueryable {
  query(config: {
    text: string;
    values?: unknown[];
    name?: string;
  }): Promise<{ rows: unknown[] } | { rows: unknown[] }[]>;
}

/** The part of a client of `pg` that is used here. */
export interface PgClient extends PgQueryable {
  // biome-ignore lint/suspicious/noExplicitAny: as node's event emitters are typed.
  on(event: string, listener: (...values: any[]) => void): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: as node's event emitters are typed.
  removeListener(event: string, listener: (...values: any[]) => void): unknown;
  release(error?: Error | boolean): void;
}

/** The part of a `Pool` of `pg` that is used here. */
export interface PgPool extends PgQueryable {
  connect(): Promise<PgClient>;
}

export function isPgPool(pool: unknown): pool is PgPool {
  const { query, connect } = (pool ?? {}) as Partial<PgPool>;
  return typeof query === "function" && typeof connect === "function";
}

export function pgDatabase(pool: PgPool, statements: "unnamed" | "prepared"): Database {
  const names = new Map<string, string>();
  const nameOf = (text: string): string => {
    const name = names.get(text) ?? `eoc_${digestOf(text)}`;
    names.set(text, name);
    return name;
  };
  return {
    query: (text, params) =>
      query(pool, text, params, statements === "prepared" && params !== undefined ? nameOf(text) : undefined),
    listen: (channel, hooks) => listen(pool, channel, hooks),
  };
}

/** Without a name, nothing is left prepared on a connection that a pooler hands to others. */
async function query(
  target: PgQueryable,
  text: string,
  params?: readonly Param[],
  name?: string,
): Promise<readonly Row[]> {
  const values = params === undefined ? undefined : { values: [...params] };
  const result = await target.query({ text, ...values, ...(name === undefined ? undefined : { name }) });
  return (Array.isArray(result) ? [] : result.rows) as Row[];
}

/** The same name for the same text, also in another copy of this package. FNV-1a, twice. */
function digestOf(text: string): string {
  const hash = (seed: number) => {
    let sum = seed;
    for (let index = 0; index < text.length; index++) sum = Math.imul(sum ^ text.charCodeAt(index), 0x01000193);
    return (sum >>> 0).toString(16);
  };
  return `${hash(0x811c9dc5)}${hash(0x01000193)}`;
}

async function listen(pool: PgPool, channel: string, { heard, lost }: ListenHooks): Promise<PostgresListening> {
  const client = await pool.connect();
  let open = true;
  const onNotification = (message: { channel: string; payload?: string }) => {
    if (open && message.channel === channel) heard(message.payload ?? "");
  };
  const onEnd = () => {
    if (leave(new Error("the connection was lost"))) lost();
  };
  const leave = (error?: Error): boolean => {
    if (!open) return false;
    open = false;
    client.removeListener("notification", onNotification);
    // The handler of errors stays where the connection is thrown away: one that still comes must not end the process.
    if (error === undefined) {
      client.removeListener("error", onEnd);
      client.removeListener("end", onEnd);
    }
    client.release(error);
    return true;
  };
  client.on("notification", onNotification);
  client.on("error", onEnd);
  client.on("end", onEnd);
  try {
    await query(client, `LISTEN "${channel}"`);
  } catch (error) {
    leave(new Error("could not listen"));
    throw error;
  }
  return {
    query: (text, params) => query(client, text, params),
    leave: async () => {
      if (!open) return;
      try {
        await query(client, `UNLISTEN "${channel}"`);
        leave();
      } catch {
        leave(new Error("could not stop listening"));
      }
    },
    drop: () => {
      leave(new Error("the connection does not answer"));
    },
  };
}
