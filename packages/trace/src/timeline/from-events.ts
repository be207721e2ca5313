import type { ExecutionEvent, WaitCause } from "@eoc/core";
import type { JournalSettlement } from "../journal-record.js";
import { factsOf, haltFact } from "./from-report.js";
import {
  actionOutcome,
  attemptOutcome,
  EFFECTS,
  executionOutcome,
  type Lane,
  type Outcome,
  type Span,
  type Timeline,
} from "./timeline.js";

/** Waits whose end is known when they begin: one that ends before it was cut short. */
const TIMED: ReadonlySet<WaitCause> = new Set(["throttle", "claim", "gate", "rate_limit", "backoff"]);

/** The record stops in the middle: its writer died, or it is still being written. */
const NO_END = "no end recorded";

/** What a journal holds of an execution that can be drawn. */
export type DrawnEvent = ExecutionEvent | JournalSettlement;

/** What reconcile of another execution found of the key that an action had claimed. Which of its attempts did it, it does not say. */
export interface KeyFound {
  actionIndex: number;
  outcome: "applied" | "not_applied";
}

const FOUND = { applied: EFFECTS.success.words, not_applied: EFFECTS.failed.words } as const;

interface Draft {
  startedAtMs: number;
  lastMs: number;
  lanes: Map<number, Lane>;
  halts: Span[];
  /** As many as the plan has, by the word of its start. */
  actionCount: number;
  /** Those that may have been made: an intent without an end is one. By action and attempt. */
  dispatches: Set<string>;
  end?: ExecutionEvent & { type: "execution.finished" };
  /** What has begun and not ended yet, by action and kind. */
  open: Map<string, Span>;
  /** When the wait that is open was to end. */
  untilMs: Map<number, number>;
  /** What was found out of attempts, which may be days after. */
  settlements: JournalSettlement[];
}

/** The timeline of one execution's events, complete or not, and of what those of others say of its keys. */
export function timelineFromEvents(events: readonly DrawnEvent[], keysFound: readonly KeyFound[]): Timeline {
  const first = events[0];
  const draft: Draft = {
    startedAtMs: first !== undefined && "atMs" in first ? first.atMs : 0,
    lastMs: 0,
    lanes: new Map(),
    halts: [],
    actionCount: 0,
    dispatches: new Set(),
    open: new Map(),
    untilMs: new Map(),
    settlements: [],
  };
  for (const event of events) {
    if (event.type === "journal.settled") {
      draft.settlements.push(event);
      continue;
    }
    draft.lastMs = Math.max(draft.lastMs, event.atMs - draft.startedAtMs);
    apply(draft, event);
  }
  const { end, lanes } = draft;
  const totalMs = end?.totalLatencyMs ?? draft.lastMs;
  for (const span of draft.open.values()) closeOpen(span, totalMs);
  for (const settlement of draft.settlements) addSettled(lanes.get(settlement.actionIndex), settlement);
  for (const found of keysFound) addKeyFound(lanes.get(found.actionIndex), found);
  return {
    title: first?.executionId ?? "",
    outcome: end === undefined ? { tone: "unknown", words: NO_END } : executionOutcome(end),
    facts: [
      ...factsOf(Math.max(draft.actionCount, lanes.size), draft.dispatches.size, totalMs, lanes.size),
      ...(end?.haltLatencyMs === undefined ? [] : [haltFact(end.haltLatencyMs)]),
    ],
    totalMs,
    lanes: [...lanes].sort(([a], [b]) => a - b).map(([, lane]) => lane),
    halts: draft.halts,
  };
}

function apply(draft: Draft, event: ExecutionEvent): void {
  const nowMs = event.atMs - draft.startedAtMs;
  switch (event.type) {
    case "execution.started":
      draft.actionCount = event.actionCount;
      return;
    case "execution.finished":
      draft.end = event;
      return;
    case "action.started":
      laneOf(draft, event.actionIndex).title = `${event.actionIndex} ${event.action} ${event.id}`;
      return;
    case "action.finished": {
      const lane = laneOf(draft, event.actionIndex);
      lane.title = `${event.actionIndex} ${event.action} ${event.id}`;
      lane.outcome = actionOutcome(event);
      lane.endMs = nowMs;
      return;
    }
    case "wait.started":
      if (event.untilMs !== undefined && TIMED.has(event.cause)) {
        draft.untilMs.set(event.actionIndex, event.untilMs - draft.startedAtMs);
      }
      begin(draft, event, "wait", { label: `wait ${event.cause.replace("_", " ")}`, tone: "waiting", fromMs: nowMs });
      return;
    case "wait.finished":
      endWait(draft, event.actionIndex, nowMs);
      return;
    case "attempt.intended":
      dispatched(draft, event);
      begin(draft, event, "attempt", { label: `attempt ${event.attemptNumber}`, tone: "unknown", fromMs: nowMs });
      return;
    case "attempt.started": {
      dispatched(draft, event);
      const span = draft.open.get(`attempt/${event.actionIndex}`);
      if (span !== undefined) span.fromMs = nowMs;
      return;
    }
    case "attempt.withdrawn":
      draft.dispatches.delete(dispatchOf(event));
      finish(draft, event, "attempt", { tone: "denied", words: `not sent: ${event.reason}` });
      return;
    case "attempt.finished": {
      dispatched(draft, event);
      const fromMs = event.startedAtMs - draft.startedAtMs;
      finish(draft, event, "attempt", attemptOutcome(event), { fromMs, tookMs: event.latencyMs });
      return;
    }
    case "attempt.settled_late": {
      const { tone, words } = EFFECTS[event.status];
      const when = draft.end === undefined ? "too late" : "after the report";
      const outcome = { tone, words: `${words}, ${when}` };
      laneOf(draft, event.actionIndex).spans.push({ label: "late answer", tone, fromMs: nowMs, outcome });
      return;
    }
    case "reconcile.started":
      begin(draft, event, "reconcile", { label: "reconcile", tone: "unknown", fromMs: nowMs });
      return;
    case "reconcile.finished": {
      const status = event.verdict === "applied" ? "success" : event.verdict === "not_applied" ? "failed" : "unknown";
      const span = draft.open.get(`reconcile/${event.actionIndex}`);
      finish(draft, event, "reconcile", EFFECTS[status], { tookMs: nowMs - (span?.fromMs ?? nowMs) });
      return;
    }
    case "halt.observed":
      draft.halts.push({
        label: "halt",
        tone: "denied",
        fromMs: nowMs,
        outcome: { tone: "denied", words: event.cause },
      });
      return;
    default:
    // The keys and the listeners have no place on a time axis.
  }
}

/** Maybe: its intent is on record, and that it was withdrawn is not. */
function dispatched(draft: Draft, attempt: { actionIndex: number; attemptNumber: number }): void {
  laneOf(draft, attempt.actionIndex);
  draft.dispatches.add(dispatchOf(attempt));
}

function dispatchOf({ actionIndex, attemptNumber }: { actionIndex: number; attemptNumber: number }): string {
  return `${actionIndex}/${attemptNumber}`;
}

function laneOf(draft: Draft, actionIndex: number): Lane {
  let lane = draft.lanes.get(actionIndex);
  if (lane === undefined) {
    lane = { title: `${actionIndex}`, outcome: { tone: "unknown", words: NO_END }, spans: [] };
    draft.lanes.set(actionIndex, lane);
  }
  return lane;
}

function begin(draft: Draft, { actionIndex }: { actionIndex: number }, kind: string, span: Span): void {
  laneOf(draft, actionIndex).spans.push(span);
  draft.open.set(`${kind}/${actionIndex}`, span);
}

function finish(
  draft: Draft,
  { actionIndex }: { actionIndex: number },
  kind: string,
  outcome: Outcome,
  times: Partial<Span> = {},
): void {
  const key = `${kind}/${actionIndex}`;
  const span = draft.open.get(key);
  draft.open.delete(key);
  if (span !== undefined) Object.assign(span, times, { tone: outcome.tone, outcome });
}

function endWait(draft: Draft, actionIndex: number, nowMs: number): void {
  const key = `wait/${actionIndex}`;
  const span = draft.open.get(key);
  const untilMs = draft.untilMs.get(actionIndex);
  draft.open.delete(key);
  draft.untilMs.delete(actionIndex);
  if (span === undefined) return;
  span.tookMs = nowMs - (span.fromMs ?? nowMs);
  if (untilMs !== undefined && nowMs < untilMs) span.outcome = { tone: "waiting", words: "cut short" };
}

/** Says beside an attempt that was in doubt what somebody has found out of it. */
function addSettled(lane: Lane | undefined, { attemptNumber, outcome }: JournalSettlement): void {
  const attempt = lane?.spans.findLast(({ label }) => label === `attempt ${attemptNumber}`);
  if (attempt !== undefined) addWords(attempt, `found ${FOUND[outcome]}`);
}

/** Says beside every attempt that is still in doubt what has become of its key. */
function addKeyFound(lane: Lane | undefined, { outcome }: KeyFound): void {
  for (const span of lane?.spans ?? []) {
    const words = span.outcome?.words ?? "";
    const isInDoubt = lane?.outcome.tone === "unknown" && span.tone === "unknown" && !words.includes(", found ");
    if (isInDoubt && span.label.startsWith("attempt ")) addWords(span, `key found ${FOUND[outcome]}`);
  }
}

/** What was found comes first: it must not be what is cut off at the end of a line. */
function addWords(attempt: Span, found: string): void {
  if (attempt.outcome === undefined) return;
  const [verdict, detail] = attempt.outcome.words.split(/: (.*)/s, 2);
  const rest = detail === undefined || detail === NO_END ? "" : ` (${detail})`;
  attempt.outcome = { ...attempt.outcome, words: `${verdict}, ${found}${rest}` };
}

/** Nothing tells what became of it. */
function closeOpen(span: Span, endMs: number): void {
  span.open = true;
  span.tookMs = Math.max(0, endMs - (span.fromMs ?? endMs));
  span.outcome =
    span.tone === "waiting" ? { tone: "waiting", words: NO_END } : { tone: "unknown", words: `UNKNOWN: ${NO_END}` };
}
