import type { ListenHooks } from "@eoc/store-kit";
import type { Database, Row } from "./database.js";

/** The part of the `sql` of `postgres` that is used here. */
export interface PostgresJs {
  unsafe(
    text: string,
    // biome-ignore lint/suspicious/noExplicitAny: its parameter types depend on the types that its owner registered.
    params?: any[],
    options?: { prepare?: boolean },
  ): PromiseLike<readonly unknown[]>;
  listen(
    channel: string,
    heard: (payload: string) => void,
    listening?: () => void,
  ): PromiseLike<{ unlisten(): Promise<void> }>;
}

export function isPostgresJs(pool: unknown): pool is PostgresJs {
  const { unsafe, listen } = (pool ?? {}) as Partial<PostgresJs>;
  return typeof pool === "function" && typeof unsafe === "function" && typeof listen === "function";
}

/**
 * `postgres` listens on a connection of its own, which it brings back by itself, and says so when it has: that is when
 * the loss is heard of here. Whether statements are prepared is the owner's setting (`prepare`), as poolers need it.
 */
export function postgresJsDatabase(sql: PostgresJs): Database {
  const ears = new Map<string, Ear>();
  return {
    query: async (text, params) =>
      (params === undefined
        ? await sql.unsafe(text)
        : await sql.unsafe(text, [...params], { prepare: true })) as readonly Row[],
    async listen(channel, hooks) {
      // Once for each channel: one that could not be had yet is tried again by `postgres`, and a second would pile up.
      const ear = ears.get(channel) ?? openEar(sql, channel);
      ears.set(channel, ear);
      ear.hooks = hooks;
      await ear.up;
      return {
        leave: async () => {
          ear.hooks = undefined;
          ears.delete(channel);
          try {
            await ear.unlisten?.();
          } catch {
            // Nobody hears of it any more.
          }
        },
        drop: () => {
          ear.hooks = undefined;
        },
      };
    },
  };
}

interface Ear {
  hooks: ListenHooks | undefined;
  /** Resolves when it listens for the first time. */
  readonly up: Promise<void>;
  unlisten?: () => Promise<void>;
}

function openEar(sql: PostgresJs, channel: string): Ear {
  let times = 0;
  let isUp = () => {};
  const up = new Promise<void>((resolve) => {
    isUp = resolve;
  });
  const ear: Ear = { hooks: undefined, up };
  const heard = (payload: string) => ear.hooks?.heard(payload);
  const listening = () => {
    isUp();
    if (++times > 1) ear.hooks?.lost();
  };
  sql.listen(channel, heard, listening).then(
    ({ unlisten }) => {
      ear.unlisten = unlisten;
    },
    () => {
      // Tried again by `postgres`.
    },
  );
  return ear;
}
