import type { ActionReport, ActionStatus, ExecutionAttempt, ExecutionReport } from "@eoc/core";
import { checkReport } from "./check-report.js";
import { REASON_SENTENCES } from "./reason-sentences.js";
import { printable } from "./timeline/printable.js";
import { counted, EFFECTS, shownMs } from "./timeline/timeline.js";

const VERDICTS: Readonly<Record<ActionStatus, string>> = {
  success: "applied",
  failed: "not applied",
  unknown: "UNKNOWN, it may or may not have been applied",
  denied: "denied, not run",
  skipped: "skipped, not run",
};

/**
 * The report as a story in plain sentences: for every action what happened in the outside world, as far as that is known, and
 * whether it is safe to run again; then the totals. One sentence a line, for people and for models.
 * @throws EocError `invalid_option` for what is no report
 */
export function explainReport(report: ExecutionReport): string {
  checkReport(report);
  const paragraphs = [headline(report)];
  for (const row of report.actions) {
    const attempts = report.attempts.filter(({ actionIndex }) => actionIndex === row.index);
    const title = `${row.index} ${row.action} ${printable(row.id)}: ${VERDICTS[row.status]}.`;
    paragraphs.push([title, ...story(row, attempts).map((sentence) => `  ${sentence}`)]);
  }
  paragraphs.push(totals(report));
  return `${paragraphs
    .filter((sentences) => sentences.length > 0)
    .map((sentences) => sentences.join("\n"))
    .join("\n\n")}\n`;
}

function headline(report: ExecutionReport): string[] {
  const { executionId, status, reason, issues = [], actions, totalLatencyMs } = report;
  const end = status === "unknown" ? "UNKNOWN" : status;
  const sentences = [`Execution ${printable(executionId)} ended ${end} after ${shownMs(totalLatencyMs)} ms.`];
  if (reason !== undefined) sentences.push(REASON_SENTENCES[reason]);
  for (const { path, expected, received } of issues) {
    const found = received === undefined ? "" : `, not ${received}`;
    sentences.push(printable(`${path === "" ? "It" : path} must be ${expected}${found}.`));
  }
  if (actions.length === 0) sentences.push("Nothing was dispatched.");
  return sentences;
}

function story(row: ActionReport, attempts: readonly ExecutionAttempt[]): string[] {
  const sentences = [...runsOf(attempts).map(attemptSentence), REASON_SENTENCES[row.reason]];
  // Where there was an attempt, its own sentence has the code.
  if (attempts.length === 0 && row.errorCode !== undefined) sentences.push(`Its code is ${printable(row.errorCode)}.`);
  if (row.retryAfterMs !== undefined) sentences.push(`It may be asked again in ${Math.ceil(row.retryAfterMs)} ms.`);
  if (row.recordError !== undefined) {
    sentences.push("This outcome could not be written to the idempotency store, which may take it for unknown.");
  }
  if (row.valueOmitted === true) sentences.push("Its value could not be stored, so that it is replayed without one.");
  return [...sentences, advice(row, attempts)];
}

/** Attempts in a row that came to the same, to be told in one sentence. */
function runsOf(attempts: readonly ExecutionAttempt[]): ExecutionAttempt[][] {
  const runs: ExecutionAttempt[][] = [];
  for (const attempt of attempts) {
    const run = runs[runs.length - 1];
    const same = run?.[0];
    if (
      run !== undefined &&
      same?.status === attempt.status &&
      same.errorCode === attempt.errorCode &&
      same.late === attempt.late
    ) {
      run.push(attempt);
    } else runs.push([attempt]);
  }
  return runs;
}

function attemptSentence(run: readonly ExecutionAttempt[]): string {
  const { attemptNumber: first, status, errorCode, late } = run[0]!;
  const last = run[run.length - 1]!.attemptNumber;
  const one = run.length === 1;
  const subject = one ? `Attempt ${first}` : `Attempts ${first} to ${last}`;
  const code = errorCode === undefined || status === "success" ? "" : ` (${printable(errorCode)})`;
  const answer = late ? `${subject}, answered after the limit,` : subject;
  if (status === "success") return `${answer} ${one ? "was" : "were"} applied.`;
  if (status === "failed") return `${answer} ${one ? "was" : "were"} not applied${code}.`;
  return `${late ? `${subject}, ended after the limit,` : subject} left no word on whether ${one ? "it was" : "they were"} applied${code}.`;
}

function advice(row: ActionReport, attempts: readonly ExecutionAttempt[]): string {
  const key = row.idempotencyKey === undefined ? "" : ` Its idempotency key is ${printable(row.idempotencyKey)}.`;
  switch (row.status) {
    case "success":
      return "Do not run it again: it is done.";
    case "unknown":
      return `NOT safe to run again: find out first whether it was applied.${key}`;
    case "failed":
      if (attempts.some(({ status }) => status === "unknown")) return "Safe to run again: it only reads.";
      return row.reason === "rejected"
        ? "Safe to run again, but the executor expects the same answer."
        : "Safe to run again: nothing was applied.";
    case "denied":
      if (row.reason === "in_progress") return `Do not run it again before the other one has ended.${key}`;
      if (row.reason === "idempotency_conflict")
        return `Do not run it again, under no other key either, before it is known which of the two is meant.${key}`;
      return "Safe to run again once that is settled: it was never dispatched.";
    default:
      return row.reason === "prior_action_failed"
        ? "Safe to run once the action before it is settled: it was never dispatched."
        : "There is nothing to run again.";
  }
}

function totals(report: ExecutionReport): string[] {
  const { actions, attempts, haltLatencyMs, cooldownUntilMs } = report;
  const sentences: string[] = [];
  if (actions.length > 0) sentences.push(`In all ${counted(actions.length, "action")}${tally(actions)}.`);
  if (attempts.length > 0) sentences.push(`${counted(attempts.length, "dispatch")}${tally(attempts)}.`);
  if (report.replayedCount > 0)
    sentences.push(`${counted(report.replayedCount, "action")} answered from the idempotency store.`);
  if (report.failClosed) sentences.push("Something abnormal stopped or denied an action (fail closed).");
  if (report.recordError !== undefined)
    sentences.push("Events are missing from the journal; what happened is as told here.");
  if (haltLatencyMs !== undefined && attempts.length > 0)
    sentences.push(`The last effect settled ${shownMs(haltLatencyMs)} ms after the halt.`);
  if (cooldownUntilMs !== undefined) sentences.push(`Cooldown until ${shownMs(cooldownUntilMs)} (epoch ms).`);
  return sentences;
}

/** `: 2 applied, 1 UNKNOWN`, of what there is. */
function tally(rows: readonly { status: ActionStatus }[]): string {
  const parts = (Object.keys(EFFECTS) as ActionStatus[]).flatMap((status) => {
    const count = rows.filter((row) => row.status === status).length;
    return count === 0 ? [] : [`${count} ${EFFECTS[status].words}`];
  });
  return parts.length === 0 ? "" : `: ${parts.join(", ")}`;
}
