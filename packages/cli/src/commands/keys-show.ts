import { readArguments } from "../arguments.js";
import { EXIT, type ExitCode } from "../exit-code.js";
import type { CliIo } from "../io.js";
import { printable } from "../printable.js";
import { shownEntry } from "../store/key-table.js";
import { type KeyEntry, type OperatorKeys, withStore } from "../store/open-store.js";
import { partsOf, STORE_HELP, STORE_OPTIONS } from "../store/store-options.js";
import { timeText } from "../time-text.js";
import type { Command } from "./command.js";

const PAGE = 1000;

const { schema, prefix } = STORE_OPTIONS;

/** `eoc keys show`: what a store knows of one key. */
export const keysShow: Command = {
  name: "keys show",
  help: `  eoc keys show STORE KEY
                         what is known of one of them; never its value
${STORE_HELP}      --json               as JSON
`,
  run,
};

async function run(argv: readonly string[], io: CliIo): Promise<ExitCode> {
  const options = { schema, prefix, json: { type: "boolean" } } as const;
  const { values, files } = readArguments(argv, options, { names: ["STORE", "KEY"] });
  const [store, key] = files as [string, string];
  const entry = await withStore(store, partsOf(values), io, ({ keys }) => find(keys, key));
  if (values.json) io.stdout.write(`${JSON.stringify(entry === undefined ? null : shownEntry(entry), null, 2)}\n`);
  else io.stdout.write(entry === undefined ? "The key is free: nobody has claimed it.\n" : present(entry));
  if (entry === undefined) return EXIT.failed;
  return entry.state === "unknown" ? EXIT.unknown : EXIT.ok;
}

async function find(keys: OperatorKeys, key: string): Promise<KeyEntry | undefined> {
  if (keys.find !== undefined) return keys.find(key);
  for (let filter: { after?: string } = {}; ; ) {
    const page = await keys.list({ ...filter, limit: PAGE });
    const found = page.find((entry) => entry.key === key);
    if (found !== undefined || page.length < PAGE) return found;
    filter = { after: page.at(-1)!.key };
  }
}

const STORIES = {
  claimed: "claimed: somebody is about to dispatch it",
  in_progress: "in progress: it has been dispatched",
  completed: "completed: it is replayed and not dispatched again",
  unknown: "in doubt: its dispatch may or may not have been applied",
} as const;

function present(entry: KeyEntry): string {
  const { key, state, fingerprint, token } = entry;
  const time = (ms: number | undefined) => (ms === undefined ? undefined : timeText(ms));
  const rows: [name: string, value: string | undefined][] = [
    ["state", STORIES[state]],
    ["claimed", time(entry.claimedAtMs)],
    ["started", time(entry.startedAtMs)],
    ["updated", time(entry.updatedAtMs)],
    ["lease until", time(entry.leaseUntilMs)],
    ["token", token === undefined ? undefined : String(token)],
    ["fingerprint", printable(fingerprint)],
  ];
  const lines = rows.flatMap(([name, value]) => (value === undefined ? [] : [`  ${name.padEnd(13)}${value}`]));
  const advice = ["", "Find out from the outside world, then: eoc keys resolve STORE KEY applied|not_applied"];
  return `${[printable(key), ...lines, ...(state === "unknown" ? advice : [])].join("\n")}\n`;
}
