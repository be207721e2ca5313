import type { StoreParts } from "./open-store.js";

/** The options of every command that opens a store. */
export const STORE_OPTIONS = {
  schema: { type: "string" },
  prefix: { type: "string" },
  switch: { type: "string" },
} as const;

/** The same, for the help. */
export const STORE_HELP = `      --schema NAME        of PostgreSQL, where the tables are (default: eoc)
      --prefix NAME        of Redis, what all keys begin with (default: eoc)
`;

/** The parts of a store that were named. */
export function partsOf({ schema, prefix, switch: name }: Readonly<Record<string, unknown>>): StoreParts {
  return { schema, prefix, switch: name } as StoreParts;
}
