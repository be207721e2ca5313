import { existsSync } from "node:fs";
import { createJsonlJournal, type JournalHead, type JsonlJournal, type OpenIntent, verifyJournal } from "@eoc/trace";
import { createFileSink, type FileSink, journalFiles } from "@eoc/trace/node";
import { version } from "../../package.json";
import { readArguments } from "../arguments.js";
import { EXIT, type ExitCode } from "../exit-code.js";
import { type CliIo, orUsage, readJournals } from "../io.js";
import { BY_OPTION, checkBy, operatorOf } from "../operator.js";
import { printable } from "../printable.js";
import { isStoreAddress } from "../store/store-address.js";
import { UsageError } from "../usage-error.js";
import type { Command } from "./command.js";

const OPTIONS = { ...BY_OPTION, note: { type: "string" }, json: { type: "boolean" } } as const;

/** `eoc settle`: puts on record what an operator found out of a dispatch in doubt. */
export const settle: Command = {
  name: "settle",
  help: `  eoc settle FILE RECORD applied|not_applied
                         puts on record what became of a dispatch that eoc
                         intents lists, by the number of its record; while no
                         process writes the journal
      --by NAME            who found out (default: who is at the terminal)
      --note TEXT          how; no secrets
      --json               as JSON
`,
  run,
};

async function run(argv: readonly string[], io: CliIo): Promise<ExitCode> {
  const { values, files } = readArguments(argv, OPTIONS, { names: ["FILE", "RECORD", "the outcome"] });
  const [file, record, outcome] = files as [string, string, string];
  if (!/^\d{1,15}$/.test(record)) throw new UsageError("RECORD must be the number of a record, as in eoc intents");
  if (outcome !== "applied" && outcome !== "not_applied") {
    throw new UsageError("the outcome must be applied or not_applied");
  }
  checkBy(values.by);
  if (isStoreAddress(file)) {
    throw new UsageError(
      "only a journal in files can be settled from here: in a store, who writes it calls journal.settle()",
    );
  }
  await refuseMissing(file);
  const { ok, pairing, last } = await verifyJournal(readJournals([file], io).lines);
  if (!ok) return refuse("the journal does not verify: nothing was changed (see eoc verify)", io);
  const intent = pairing.openIntents.find(({ seq }) => seq === Number(record));
  if (intent === undefined) {
    return refuse(`record ${record} is no dispatch in doubt: nothing was changed (see eoc intents)`, io);
  }
  const { by = operatorOf(io), note } = values;
  await append(file, last, {
    ...intent,
    outcome,
    ...(by !== undefined && { by }),
    ...(note !== undefined && { note }),
  });
  const left = pairing.openIntents.length - 1;
  const { executionId, actionIndex, attemptNumber } = intent;
  const settled = { executionId, actionIndex, attemptNumber, outcome, left };
  io.stdout.write(values.json ? `${JSON.stringify(settled, null, 2)}\n` : present(intent, outcome, left));
  return EXIT.ok;
}

function refuse(words: string, io: CliIo): ExitCode {
  io.stderr.write(`eoc: ${words}\n`);
  return EXIT.failed;
}

/** Nothing is made, and standard input cannot be written. */
async function refuseMissing(file: string): Promise<void> {
  const parts = file === "-" ? [] : await orUsage(file, () => journalFiles(file));
  if (parts.length === 0 && !existsSync(file)) throw new UsageError(`${file}: there is no such journal`);
}

/** @param last what was verified */
async function append(
  file: string,
  last: JournalHead,
  settlement: Parameters<JsonlJournal["settle"]>[0],
): Promise<void> {
  let sink: FileSink;
  try {
    sink = createFileSink(file);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  try {
    if (sink.recovered.head?.hash !== last.hash) throw new UsageError(`${file}: something has written to it meanwhile`);
    await createJsonlJournal(sink, { versions: { "@eoc/cli": version } }).settle(settlement);
  } finally {
    await sink.close();
  }
}

function present({ actionId, attemptNumber, idempotencyKey }: OpenIntent, outcome: string, left: number): string {
  const was = outcome === "applied" ? "was applied" : "was not applied";
  const key = idempotencyKey === undefined ? [] : [`Its idempotency key is ${idempotencyKey}: see eoc keys resolve.`];
  const rest = left === 0 ? "Nothing else is in doubt." : `${left} more in doubt: see eoc intents.`;
  return `${[`On record: attempt ${attemptNumber} of ${actionId} ${was}.`, ...key, rest].map(printable).join("\n")}\n`;
}
