import type { ActionReport, ExecutionReport } from "@eoc/core";

/** What is known of an effect, or why there was none. */
export type Tone = "applied" | "not_applied" | "unknown" | "denied" | "skipped" | "waiting";

/** A verdict in words. */
export interface Outcome {
  tone: Tone;
  words: string;
}

/** One line of a timeline. Times are milliseconds since the execution started. */
export interface Span {
  label: string;
  tone: Tone;
  /** Absent where only the duration is known. */
  fromMs?: number;
  /** Absent for what happens at a moment. */
  tookMs?: number;
  /** It had not ended when the record did: it took at least `tookMs`. */
  open?: boolean;
  outcome?: Outcome;
}

/** An action with what happened to it, in order. */
export interface Lane {
  title: string;
  outcome: Outcome;
  /** When its outcome was known, where that is on record. */
  endMs?: number;
  spans: Span[];
}

/** What a renderer draws, made from events or from a report. */
export interface Timeline {
  title: string;
  outcome: Outcome;
  /** What else is known of the whole, in words. */
  facts: string[];
  totalMs: number;
  lanes: Lane[];
  /** What stopped the execution as a whole, and when. */
  halts: Span[];
}

type Row = Pick<ActionReport, "status" | "reason" | "attemptCount"> & { errorCode?: string | undefined };
type Answer = { status: "success" | "failed" | "unknown"; errorCode?: string | undefined; late?: boolean | undefined };

/** What an attempt came to. */
export function attemptOutcome({ status, errorCode, late }: Answer): Outcome {
  const { tone, words } = EFFECTS[status];
  const detail = status === "success" || errorCode === undefined ? words : `${words}: ${errorCode}`;
  return { tone, words: late ? `${detail}, late` : detail };
}

/** What an action came to, and why. */
export function actionOutcome({ status, reason, attemptCount, errorCode }: Row): Outcome {
  if (status === "success") {
    const how = reason === "replayed" ? " before: replayed" : reason === "reconciled" ? ": reconciled" : "";
    return { tone: "applied", words: `applied${how}` };
  }
  // Where there is an attempt, its own line has the code.
  const code = attemptCount === 0 && errorCode !== undefined ? ` (${errorCode})` : "";
  const { tone, words } = EFFECTS[status];
  return { tone, words: `${words}: ${reason}${code}` };
}

/** What the whole came to. */
export function executionOutcome(
  report: Pick<ExecutionReport, "status" | "failClosed"> & { reason?: string | undefined },
): Outcome {
  const { status, reason, failClosed } = report;
  const tone = status === "partial" ? "not_applied" : EFFECTS[status].tone;
  const parts = [status === "unknown" ? "UNKNOWN" : status, ...(reason === undefined ? [] : [reason])];
  return { tone, words: `${parts.join(": ")}${failClosed ? ", fail closed" : ""}` };
}

export const EFFECTS: Readonly<Record<ActionReport["status"], Outcome>> = {
  success: { tone: "applied", words: "applied" },
  failed: { tone: "not_applied", words: "not applied" },
  unknown: { tone: "unknown", words: "UNKNOWN" },
  denied: { tone: "denied", words: "denied" },
  skipped: { tone: "skipped", words: "skipped" },
};

/** `3 actions`, `1 action`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : noun.endsWith("ch") ? "es" : "s"}`;
}

/** Milliseconds for people: whole ones, and a tenth where that is all there is. */
export function shownMs(ms: number): string {
  return ms > 0 && ms < 1 ? ms.toFixed(1) : String(Math.round(ms));
}
