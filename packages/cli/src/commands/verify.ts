import { definePolicy, type ExecutionPolicyInput, isEocError } from "@eoc/core";
import { type CheckpointVerifier, type JournalHead, type JournalVerdict, verifyJournal } from "@eoc/trace";
import { createEd25519Verifier, readCheckpointFile } from "@eoc/trace/node";
import { readArguments } from "../arguments.js";
import { EXIT, type ExitCode } from "../exit-code.js";
import { type CliIo, JOURNAL_HELP, JOURNAL_OPTION, orUsage, readJournals, readJson, readText } from "../io.js";
import { printable } from "../printable.js";
import { verdictStyle } from "../style.js";
import { UsageError } from "../usage-error.js";
import { type Given, remarks } from "../verdict-remarks.js";
import type { Command } from "./command.js";

const OPTIONS = {
  ...JOURNAL_OPTION,
  head: { type: "string" },
  checkpoints: { type: "string" },
  "public-key": { type: "string", multiple: true },
  policy: { type: "string" },
  json: { type: "boolean" },
} as const;

/** The verdicts in the order in which they rest on one another. */
const VERDICTS = ["integrity", "continuity", "pairing", "signatures", "conformance", "completeness"] as const;

/** `eoc verify`: whether a journal can be trusted. */
export const verify: Command = {
  name: "verify",
  help: `  eoc verify FILE...     whether a journal can be trusted: one verdict each for
                         integrity, continuity, pairing, signatures,
                         conformance and completeness
      --head SEQ:HASH      where it ends, from a place that whoever could write
                           the journal could not write
      --checkpoints FILE   records that are known to be in it
      --public-key FILE    an Ed25519 key (PEM) that must have signed every
                           checkpoint; may be given more than once
      --policy FILE        the policy that every execution should have kept
${JOURNAL_HELP}      --json               the verdict as JSON
`,
  run,
};

async function run(argv: readonly string[], io: CliIo): Promise<ExitCode> {
  const { values, files } = readArguments(argv, OPTIONS);
  const { checkpoints } = values;
  const keys = await Promise.all((values["public-key"] ?? []).map((file) => readKey(file, io)));
  const given: Given = {
    checkpoints: checkpoints !== undefined,
    keys: keys.length > 0,
  };
  const head = values.head === undefined ? undefined : parseHead(values.head);
  const policy = values.policy === undefined ? undefined : await readPolicy(values.policy, io);
  const journal = readJournals(files, io, values.journal);
  const verdict = await verifyJournal(journal.lines, {
    head,
    policy,
    keys,
    checkpoints: checkpoints === undefined ? undefined : readCheckpoints(checkpoints),
  });
  const code = exitCodeOf(verdict, given);
  if (values.json) io.stdout.write(`${JSON.stringify({ ...verdict, exitCode: code }, null, 2)}\n`);
  else io.stdout.write(present(verdict, given, journal.placeOf, io));
  return code;
}

/** Signatures count only where somebody asked for them; the other verdicts always do. */
function exitCodeOf(verdict: JournalVerdict, { keys }: Given): ExitCode {
  if (!verdict.ok) return EXIT.failed;
  const proven = VERDICTS.filter((name) => name !== "signatures" || keys);
  return proven.every((name) => verdict[name].verdict === "PASS") ? EXIT.ok : EXIT.unknown;
}

/** How many of those that are open are shown. */
const MOST_OPEN = 10;

function present(verdict: JournalVerdict, given: Given, placeOf: (line: number) => string, io: CliIo): string {
  const style = verdictStyle(io);
  const lines = VERDICTS.map((name) => {
    const remark = remarks(verdict, given)[name];
    const word = verdict[name].verdict;
    return `  ${name.padEnd(14)}${style(word)}${" ".repeat(12 - word.length)}${remark}`.trimEnd();
  });
  // What failed comes before what is merely open.
  const failed = VERDICTS.filter((name) => verdict[name].verdict === "FAIL");
  const problems = [...failed, ...VERDICTS.filter((name) => !failed.includes(name))].flatMap((name) => {
    const { verdict: word, problems: found, problemCount } = verdict[name];
    // What a crash has left open may be much, and must not drown the rest.
    const most = word === "OPEN" ? MOST_OPEN : found.length;
    const shown = found.slice(0, most).map(({ line, code, message }) => {
      const place = name === "signatures" ? `checkpoint ${line}` : placeOf(line);
      return printable(`${place}  ${code}: ${message}`);
    });
    const more = problemCount - shown.length;
    return more > 0 ? [...shown, `... and ${more} more`] : shown;
  });
  const unproven = verdict.conformance.unproven.map(({ line, code, message }) =>
    printable(`${placeOf(line)}  ${code}: ${message}`),
  );
  const { tornTail } = verdict;
  const torn =
    tornTail === undefined
      ? []
      : [`${placeOf(tornTail.line)}  half a line, never acknowledged: a crash leaves it behind`];
  return `${[
    headline(verdict),
    ...lines,
    ...[problems, unproven, torn].flatMap((block) => (block.length === 0 ? [] : ["", ...block])),
  ].join("\n")}\n`;
}

function headline({ recordCount: count, last }: JournalVerdict): string {
  if (count === 0) return "0 records: it is empty";
  if (last.seq < 0) return count === 1 ? "1 line, and it is no record" : `${count} lines, and none of them is a record`;
  return `${count} ${count === 1 ? "record" : "records"}, the last is ${last.seq}:${last.hash}`;
}

function parseHead(text: string): JournalHead {
  const [, seq, hash] = /^(\d{1,15}|-1):([0-9a-f]{64})$/.exec(text) ?? [];
  if (seq === undefined || hash === undefined) {
    throw new UsageError("--head must be SEQ:HASH, a number and 64 hexadecimal digits");
  }
  return { seq: Number(seq), hash };
}

async function* readCheckpoints(file: string) {
  const checkpoints = readCheckpointFile(file);
  for (;;) {
    let next: Awaited<ReturnType<typeof checkpoints.next>>;
    try {
      next = await orUsage(file, () => checkpoints.next());
    } catch (error) {
      if (error instanceof TypeError) throw new UsageError(error.message);
      throw error;
    }
    if (next.done) return;
    yield next.value;
  }
}

async function readKey(file: string, io: CliIo): Promise<CheckpointVerifier> {
  const pem = await readText(file, io);
  try {
    return createEd25519Verifier(pem);
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`);
  }
}

async function readPolicy(file: string, io: CliIo): Promise<ExecutionPolicyInput> {
  const policy = (await readJson(file, io)) as ExecutionPolicyInput;
  try {
    return definePolicy(policy);
  } catch (error) {
    if (isEocError(error)) throw new UsageError(`${file}: ${error.message}`);
    throw error;
  }
}
