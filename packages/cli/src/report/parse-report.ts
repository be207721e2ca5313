import {
  type Action,
  type ActionReport,
  type ActionStatus,
  type ExecutionAttempt,
  type ExecutionReport,
  type ExecutionStatus,
  type OutcomeBasis,
  TERMINAL_REASONS,
  type TerminalReason,
} from "@eoc/core";
import { UsageError } from "../usage-error.js";
import { Fields, MalformedReport } from "./fields.js";

/**
 * The reports in a file: one JSON document, or one a line. Either as `JSON.stringify` writes them, or in the extended wire form of
 * `reportToDict`.
 *
 * @throws UsageError naming the first that is neither
 */
export function parseReports(text: string, file: string): ExecutionReport[] {
  const whole = parsed(text);
  if (whole !== undefined) return [parseReport(whole, file)];
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  if (lines.length === 0) throw new UsageError(`${file}: it is empty`);
  return lines.map((line, index) => {
    const value = parsed(line);
    if (value === undefined) throw new UsageError(`${file}: it is not JSON, nor is its line ${index + 1}`);
    return parseReport(value, lines.length === 1 ? file : `${file}, report ${index + 1}`);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function parseReport(value: unknown, name: string): ExecutionReport {
  try {
    const fields = new Fields(value);
    if (fields.has("event") && fields.has("prev"))
      throw new UsageError(`${name}: it is a journal's record, and no report: see eoc timeline and eoc intents`);
    if (fields.has("success_count") && !fields.has("actions")) {
      throw new UsageError(
        `${name}: it is a report in the reference's form, which does not say what became of its actions`,
      );
    }
    return readReport(fields, fields.has("executionId") ? OWN : WIRE);
  } catch (error) {
    if (error instanceof MalformedReport) throw new UsageError(`${name}: it is no report: ${error.message}`);
    throw error;
  }
}

/** How a report's fields are spelled. */
type Spelling = (name: string) => string;

const OWN: Spelling = (name) => name;
const WIRE: Spelling = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const ACTIONS: readonly Action[] = ["HOLD", "ACT", "EXIT", "CANCEL", "STOP"];
const OUTCOMES = ["success", "failed", "unknown"] as const;
const STATUSES: readonly ActionStatus[] = [...OUTCOMES, "denied", "skipped"];
const REPORT_STATUSES: readonly ExecutionStatus[] = [...STATUSES, "partial"];
const REASONS = Object.keys(TERMINAL_REASONS) as TerminalReason[];
const BASES: readonly OutcomeBasis[] = ["result", "reconcile", "replay", "exception", "timeout", "abort", "none"];

const text = (fields: Fields, key: string) => fields.text(key);
const number = (fields: Fields, key: string) => fields.number(key);
const reason = (fields: Fields, key: string) => fields.oneOf(key, REASONS);

function readReport(fields: Fields, spelt: Spelling): ExecutionReport {
  const count = (name: string) => fields.count(spelt(name));
  return {
    executionId: fields.text(spelt("executionId")),
    status: fields.oneOf("status", REPORT_STATUSES),
    actions: fields.list("actions").map((row) => readRow(row, spelt)),
    attempts: fields.list("attempts").map((attempt) => readAttempt(attempt, spelt)),
    totalLatencyMs: fields.number(spelt("totalLatencyMs")),
    startedAtMs: fields.number(spelt("startedAtMs")),
    successCount: count("successCount"),
    failedCount: count("failedCount"),
    attemptCount: count("attemptCount"),
    skippedCount: count("skippedCount"),
    deniedCount: count("deniedCount"),
    unknownCount: count("unknownCount"),
    replayedCount: count("replayedCount"),
    failClosed: fields.flag(spelt("failClosed")),
    planHash: fields.text(spelt("planHash")),
    ...present({
      reason: fields.maybe("reason", reason),
      haltLatencyMs: fields.maybe(spelt("haltLatencyMs"), number),
      cooldownUntilMs: fields.maybe(spelt("cooldownUntilMs"), number),
      recordError: fields.maybe(spelt("recordError"), reason),
      issues: fields.maybe("issues", (all, key) => all.list(key).map(readIssue)),
    }),
  };
}

function readRow(fields: Fields, spelt: Spelling): ActionReport {
  return {
    id: fields.text("id"),
    index: fields.count("index"),
    action: fields.oneOf("action", ACTIONS),
    status: fields.oneOf("status", STATUSES),
    reason: fields.oneOf("reason", REASONS),
    attemptCount: fields.count(spelt("attemptCount")),
    latencyMs: fields.number(spelt("latencyMs")),
    waitedMs: fields.number(spelt("waitedMs")),
    basis: fields.oneOf("basis", BASES),
    replayed: fields.flag("replayed"),
    ...present({
      errorCode: fields.maybe(spelt("errorCode"), text),
      errorType: fields.maybe(spelt("errorType"), text),
      retryAfterMs: fields.maybe(spelt("retryAfterMs"), (row, key) => row.number(key)),
      idempotencyKey: fields.maybe(spelt("idempotencyKey"), text),
      valueOmitted: fields.maybe(spelt("valueOmitted"), (row, key) => row.flag(key)),
      recordError: fields.maybe(spelt("recordError"), reason),
    }),
  };
}

function readAttempt(fields: Fields, spelt: Spelling): ExecutionAttempt {
  return {
    actionIndex: fields.count(spelt("actionIndex")),
    attemptNumber: fields.count(spelt("attemptNumber")),
    action: fields.oneOf("action", ACTIONS),
    status: fields.oneOf("status", OUTCOMES),
    startedAtMs: fields.number(spelt("startedAtMs")),
    latencyMs: fields.number(spelt("latencyMs")),
    ...present({
      errorCode: fields.maybe(spelt("errorCode"), text),
      errorType: fields.maybe(spelt("errorType"), text),
      idempotencyKey: fields.maybe(spelt("idempotencyKey"), text),
      late: fields.maybe("late", (attempt, key) => attempt.flag(key)),
    }),
  };
}

function readIssue(fields: Fields) {
  return {
    path: fields.text("path"),
    expected: fields.text("expected"),
    ...present({ received: fields.maybe("received", text) }),
  };
}

/** Without what is not there. */
function present<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}
