import type { IdempotencyState } from "@eoc/core";
import { readArguments } from "../arguments.js";
import { EXIT, type ExitCode } from "../exit-code.js";
import type { CliIo } from "../io.js";
import { keyTable, shownEntry } from "../store/key-table.js";
import { withStore } from "../store/open-store.js";
import { partsOf, STORE_HELP, STORE_OPTIONS } from "../store/store-options.js";
import { UsageError } from "../usage-error.js";
import type { Command } from "./command.js";

const STATES: readonly IdempotencyState[] = ["claimed", "in_progress", "completed", "unknown"];
const LIMIT = 1000;

const { schema, prefix } = STORE_OPTIONS;
const OPTIONS = {
  schema,
  prefix,
  state: { type: "string" },
  after: { type: "string" },
  limit: { type: "string" },
  json: { type: "boolean" },
} as const;

/** `eoc keys list`: the idempotency keys of a store. */
export const keysList: Command = {
  name: "keys list",
  help: `  eoc keys list STORE    the idempotency keys that are not free, in their order
      --state STATE        only those that are claimed, in_progress, completed
                           or unknown: in doubt
      --after KEY          only those behind this one
      --limit N            at most so many (default: ${LIMIT})
${STORE_HELP}      --json               as JSON
`,
  run,
};

async function run(argv: readonly string[], io: CliIo): Promise<ExitCode> {
  const { values, files } = readArguments(argv, OPTIONS, { names: ["STORE"] });
  const { after } = values;
  const state = stateOf(values.state);
  const limit = limitOf(values.limit);
  const filter = { ...(state === undefined ? undefined : { state }), ...(after === undefined ? undefined : { after }) };
  // One more than is shown says whether there are more.
  const found = await withStore(files[0]!, partsOf(values), io, ({ keys }) =>
    keys.list({ ...filter, limit: limit + 1 }),
  );
  const entries = found.slice(0, limit);
  if (values.json) io.stdout.write(`${JSON.stringify(entries.map(shownEntry), null, 2)}\n`);
  else io.stdout.write(entries.length === 0 ? "No keys.\n" : keyTable(entries));
  if (found.length > limit) io.stderr.write("eoc: there are more: go on with --after and the last key\n");
  return entries.some((entry) => entry.state === "unknown") ? EXIT.unknown : EXIT.ok;
}

function stateOf(text: string | undefined): IdempotencyState | undefined {
  const state = STATES.find((known) => known === text);
  if (text !== undefined && state === undefined) throw new UsageError(`--state must be one of ${STATES.join(", ")}`);
  return state;
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return LIMIT;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new UsageError("--limit must be a whole number >= 1");
  return Number(text);
}
