import type { ExecutionEvent } from "@eoc/core";
import { describeViolations, type Violation } from "../invariants/violation.js";
import type { Choice } from "./choices.js";
import type { Transcript } from "./lab.js";
import type { Trial } from "./trial.js";

/** The smallest failing run that was found. */
export interface ExploreFailure {
  readonly violations: readonly Violation[];
  /** What the scenario, the check or the run threw. */
  readonly error?: unknown;
  readonly choices: readonly Choice[];
  /** To run it again: `explore({ …, replay })`. */
  readonly replay: readonly number[];
  /** Number of the run in which it was first seen, from 0. */
  readonly run: number;
  /** Everything above, to be read. */
  readonly message: string;
}

interface HowFound {
  readonly run: number;
  readonly seed: string | undefined;
  readonly choicesBefore: number;
  /** What was replayed. */
  readonly replay?: readonly number[] | undefined;
}

/** Tells what was found and how to see it again. */
export function failureOf(
  trial: Trial,
  { run, seed, choicesBefore, replay = indexesOf(trial) }: HowFound,
): ExploreFailure {
  const { choices, violations, transcripts } = trial;
  const where = [`run ${run}`, ...(seed === undefined ? [] : [`seed ${JSON.stringify(seed)}`])].join(", ");
  const shrunk = choices.length < choicesBefore ? `, shrunk from ${choicesBefore} choices to ${choices.length}` : "";
  const parts = [
    `explore: a run went wrong (${where}${shrunk})`,
    ...(violations.length > 0 ? [describeViolations(violations)] : []),
    ...("error" in trial ? [errorText(trial.error)] : []),
    choicesText(choices),
    ...transcripts.map(transcriptText),
    `again: explore({ …, replay: ${JSON.stringify(replay)} })`,
  ];
  return {
    violations,
    ...("error" in trial ? { error: trial.error } : undefined),
    choices,
    replay,
    run,
    message: parts.join("\n\n"),
  };
}

function indexesOf({ choices }: Trial): number[] {
  const indexes = choices.map(({ index }) => index);
  return indexes.slice(0, indexes.findLastIndex((index) => index !== 0) + 1);
}

function errorText(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : `thrown: ${String(error)}`;
}

/** Those that matter: what was not chosen is as always. */
function choicesText(choices: readonly Choice[]): string {
  const chosen = choices.filter(({ index }) => index !== 0);
  if (chosen.length === 0) return "choices: none; it goes wrong when nothing is chosen";
  const width = Math.max(...chosen.map(({ name }) => name.length));
  const lines = chosen.map(
    ({ name, taken, index, of }) => `  ${name.padEnd(width)}  ${taken}  (${index + 1} of ${of})`,
  );
  return `choices\n${lines.join("\n")}`;
}

function transcriptText({ executionId, events }: Transcript): string {
  const startMs = events[0]?.atMs ?? 0;
  const lines = events.map((event) => `${String(event.atMs - startMs).padStart(8)} ms  ${eventText(event)}`);
  return `${executionId}\n${lines.join("\n")}`;
}

function eventText(event: ExecutionEvent): string {
  const action = "actionIndex" in event ? ` ${event.actionIndex}` : "";
  const attempt = "attemptNumber" in event ? `/${event.attemptNumber}` : "";
  const { status, reason, cause, verdict, errorCode } = event as unknown as Record<string, unknown>;
  const details = [status, reason, cause, verdict, errorCode].filter((detail) => detail !== undefined);
  return `${event.type}${action}${attempt}${details.length > 0 ? `  ${details.join(" ")}` : ""}`;
}
