import { type OpenIntent, verifyJournal } from "@eoc/trace";
import { readArguments } from "../arguments.js";
import { EXIT, type ExitCode } from "../exit-code.js";
import { type CliIo, JOURNAL_HELP, JOURNAL_OPTION, readJournals } from "../io.js";
import { printable } from "../printable.js";
import { isStoreAddress } from "../store/store-address.js";
import { timeText } from "../time-text.js";
import { UsageError } from "../usage-error.js";
import type { Command } from "./command.js";

/** `eoc intents`: what may or may not have been applied when the journal stopped. */
export const intents: Command = {
  name: "intents",
  help: `  eoc intents FILE...    what was in flight when the journal stopped, or ended
                         with an unknown outcome that nothing has settled:
                         dispatches that may or may not have been applied
${JOURNAL_HELP}      --json               as JSON
`,
  run,
};

async function run(argv: readonly string[], io: CliIo): Promise<ExitCode> {
  const options = { ...JOURNAL_OPTION, json: { type: "boolean" } } as const;
  const { values, files } = readArguments(argv, options);
  const journal = readJournals(files, io, values.journal);
  const { ok, pairing, completeness, recordCount, tornTail } = await verifyJournal(journal.lines);
  // Not to be answered with "nothing was in flight". Behind half a first line nothing was: it was never acknowledged.
  if (recordCount === 0 && tornTail === undefined)
    throw new UsageError(`${files.join(", ")}: ${files.length > 1 ? "they are" : "it is"} empty`);
  const { openIntents } = pairing;
  const { missingBefore } = completeness;
  if (values.json) io.stdout.write(`${JSON.stringify(openIntents, null, 2)}\n`);
  else if (ok || openIntents.length > 0)
    io.stdout.write(present(openIntents, missingBefore, journal.placeOf, files.some(isStoreAddress)));
  if (!ok) {
    io.stderr.write("eoc: the journal does not verify, so that this cannot be relied on: see eoc verify\n");
    return EXIT.failed;
  }
  return openIntents.length === 0 && missingBefore === 0 ? EXIT.ok : EXIT.unknown;
}

function present(
  openIntents: readonly OpenIntent[],
  missingBefore: number,
  placeOf: (line: number) => string,
  isInStore: boolean,
): string {
  const missing =
    missingBefore > 0 ? `Records 0 to ${missingBefore - 1} are in files that were not given: look at those too.\n` : "";
  if (openIntents.length === 0) {
    return missing === ""
      ? "Nothing was in flight, and nothing is in doubt.\n"
      : `Nothing that is in these files was in flight, or is in doubt.\n${missing}`;
  }
  const many = openIntents.length > 1;
  const state = openIntents.every(({ outcome }) => outcome === undefined) ? "in flight" : "in flight or in doubt";
  return `${[
    `${openIntents.length} ${many ? "dispatches were" : "dispatch was"} ${state}. ${many ? "Each" : "It"} may or may not have been applied:`,
    ...openIntents.flatMap((intent) => ["", ...describe(intent, `record ${intent.seq}, ${placeOf(intent.line)}`)]),
    "",
    "Find out from the outside world before any of it is done again, and put on",
    `record what you found: ${isInStore ? "whoever writes it calls journal.settle()" : "eoc settle FILE RECORD applied|not_applied"}`,
  ].join("\n")}\n${missing}`;
}

function describe(intent: OpenIntent, place: string): string[] {
  const { executionId, actionIndex, action, actionId, attemptNumber, idempotencyKey } = intent;
  const { dispatched, intendedAtMs, startedAtMs = intendedAtMs, outcome } = intent;
  const end = outcome === undefined ? "" : "; it ended with an unknown outcome";
  const when = dispatched
    ? `dispatched at ${timeText(startedAtMs)}${end}`
    : `intended at ${timeText(intendedAtMs)}; whether it was dispatched is not on record`;
  return [
    `  ${actionIndex} ${action} ${actionId}, attempt ${attemptNumber}`,
    `    execution ${executionId}`,
    `    ${when}`,
    idempotencyKey === undefined ? "    without an idempotency key" : `    idempotency key ${idempotencyKey}`,
    `    ${place}`,
  ].map(printable);
}
