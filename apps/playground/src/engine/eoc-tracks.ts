import type { ExecutionEvent, WaitCause } from "@eoc/core";
import { inOrder, type Mark, type Span, type Tone, type Track, type Tracks } from "./tracks.js";

/** The events of one process, and when it died if it did. Times of events are wall-clock. */
export interface Recorded {
  readonly events: readonly ExecutionEvent[];
  readonly diedAtMs?: number;
}

const WAITS: Readonly<Record<WaitCause, string>> = {
  throttle: "throttled by the decision",
  slot: "waits for a slot",
  bulkhead: "waits for a shared slot",
  claim: "waits for its key",
  gate: "waits for a gate",
  rate_limit: "waits for a permit",
  backoff: "backs off",
  settlement: "waits until it has settled",
};

const TONES = { success: "applied", failed: "not_applied", unknown: "unknown" } as const;
const ENDS: Readonly<Record<string, Tone>> = { ...TONES, denied: "denied", skipped: "skipped" };
const WORDS = { success: "applied", failed: "not applied", unknown: "UNKNOWN" } as const;
const END_WORDS: Readonly<Record<string, string>> = { ...WORDS, denied: "denied", skipped: "skipped" };

/**
 * The timeline of executions that ran one after the other, `startMs` being time 0. What is under way when the events end has no end
 * either, unless its process died.
 */
export function eocTracks(processes: readonly Recorded[], startMs: number): Tracks {
  const rows = new Map<string, { spans: Span[]; end?: Track["end"] }>();
  const marks: Mark[] = [];
  for (const [number, { events, diedAtMs }] of processes.entries()) {
    const first = events[0]?.atMs ?? startMs;
    if (number > 0) marks.push({ kind: "restart", atMs: first - startMs, words: "started again" });
    readProcess(events, startMs, diedAtMs, rows, marks);
    if (diedAtMs !== undefined) marks.push({ kind: "crash", atMs: diedAtMs, words: "the process dies" });
  }
  const tracks = [...rows].map(([id, { spans, end }]) => ({
    id,
    spans: inOrder(spans),
    ...(end === undefined ? undefined : { end }),
  }));
  return { tracks, marks: marks.sort((a, b) => a.atMs - b.atMs) };
}

function readProcess(
  events: readonly ExecutionEvent[],
  startMs: number,
  diedAtMs: number | undefined,
  rows: Map<string, { spans: Span[]; end?: Track["end"] }>,
  marks: Mark[],
): void {
  const ids = new Map<number, string>();
  const open = new Map<string, { fromMs: number; label: string; kind: Span["kind"] }>();
  const rowOf = (index: number) => {
    const id = ids.get(index) ?? `action-${index}`;
    const row = rows.get(id) ?? { spans: [] };
    rows.set(id, row);
    return row;
  };
  const close = (index: number, key: string, toMs: number, tone: Tone, words: string) => {
    const span = open.get(`${index} ${key}`);
    open.delete(`${index} ${key}`);
    if (span !== undefined) rowOf(index).spans.push({ ...span, toMs, tone, words });
  };

  for (const event of events) {
    const atMs = event.atMs - startMs;
    switch (event.type) {
      case "action.started":
        ids.set(event.actionIndex, event.id);
        rowOf(event.actionIndex);
        break;
      case "action.finished": {
        ids.set(event.actionIndex, event.id);
        const code = event.errorCode === undefined || event.errorCode === event.reason ? "" : ` (${event.errorCode})`;
        const words = event.status === "success" ? successWords(event.reason) : `${event.reason}${code}`;
        rowOf(event.actionIndex).end = {
          atMs,
          tone: ENDS[event.status]!,
          words: `${END_WORDS[event.status]}${words === "" ? "" : `: ${words}`}`,
        };
        break;
      }
      case "wait.started":
        open.set(`${event.actionIndex} wait`, { fromMs: atMs, label: WAITS[event.cause], kind: "wait" });
        break;
      case "wait.finished":
        if (event.waitedMs > 0) close(event.actionIndex, "wait", atMs, "waiting", `${Math.round(event.waitedMs)} ms`);
        else open.delete(`${event.actionIndex} wait`);
        break;
      case "attempt.started":
        open.set(`${event.actionIndex} attempt`, {
          fromMs: atMs,
          label: `attempt ${event.attemptNumber}`,
          kind: "attempt",
        });
        break;
      case "attempt.finished": {
        const code = event.status === "success" || event.errorCode === undefined ? "" : `: ${event.errorCode}`;
        const late = event.late ? ", late" : "";
        close(event.actionIndex, "attempt", atMs, TONES[event.status], `${WORDS[event.status]}${code}${late}`);
        break;
      }
      case "attempt.settled_late":
        rowOf(event.actionIndex).spans.push({
          kind: "late",
          label: "late answer",
          tone: TONES[event.status],
          fromMs: atMs,
          toMs: atMs,
          words: `${WORDS[event.status]}, too late to count`,
        });
        break;
      case "reconcile.started":
        open.set(`${event.actionIndex} reconcile`, { fromMs: atMs, label: "asks the world", kind: "reconcile" });
        break;
      case "reconcile.finished": {
        const status = event.verdict === "applied" ? "success" : event.verdict === "not_applied" ? "failed" : "unknown";
        close(event.actionIndex, "reconcile", atMs, TONES[status], WORDS[status]);
        break;
      }
      case "halt.observed":
        marks.push({ kind: "halt", atMs, words: event.cause === "cancelled" ? "cancelled" : "HALT" });
        break;
      default:
      // Keys, listeners and the frame of the execution have no place on the axis.
    }
  }
  for (const key of [...open.keys()]) {
    const [index = "0", kind = ""] = key.split(" ");
    const { fromMs } = open.get(key)!;
    if (diedAtMs === undefined) close(Number(index), kind, Number.POSITIVE_INFINITY, "unknown", "");
    else close(Number(index), kind, Math.max(fromMs, diedAtMs), "unknown", "UNKNOWN: nobody was left to hear it");
  }
}

function successWords(reason: string): string {
  if (reason === "reconciled") return "found in the world";
  return reason === "replayed" ? "done before" : "";
}
