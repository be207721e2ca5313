import { definePolicy } from "@eoc/core";
import type { Met } from "./network.js";
import { type PlaySetup, START_MS } from "./play-setup.js";
import type { NaiveRun } from "./run-naive.js";
import { inOrder, type Mark, type Span, type Track, type Tracks } from "./tracks.js";

/** The timeline of naive retry, in its own words: what it believes, not what is so. */
export function naiveTracks(run: NaiveRun, setup: PlaySetup): Tracks {
  const limitMs = definePolicy(setup.policy).timeout.attemptTimeoutMs;
  const ids = [...new Set(run.met.map(({ actionId }) => actionId))];
  const tracks = ids.map((id) => trackOf(id, run, limitMs));
  const marks = run.deaths.flatMap(({ diedAtMs, restartedAtMs }): Mark[] => [
    { kind: "crash", atMs: diedAtMs, words: "the process dies" },
    { kind: "restart", atMs: restartedAtMs, words: "started again" },
  ]);
  const { haltAtMs } = setup;
  if (haltAtMs !== undefined && haltAtMs < run.endMs)
    marks.push({ kind: "halt", atMs: haltAtMs, words: "HALT", note: "not heard" });
  return { tracks, marks };
}

function trackOf(id: string, { met, deaths }: NaiveRun, limitMs: number): Track {
  const spans: Span[] = [];
  let last: Span | undefined;
  for (const request of met.filter(({ actionId }) => actionId === id)) {
    const fromMs = request.call.startedAtMs - START_MS;
    const died = deaths.some(
      ({ restartedAtMs }) => last !== undefined && last.toMs < restartedAtMs && restartedAtMs <= fromMs,
    );
    if (last !== undefined && !died && fromMs > last.toMs) {
      spans.push({
        kind: "wait",
        label: "backs off",
        tone: "waiting",
        fromMs: last.toMs,
        toMs: fromMs,
        words: `${Math.round(fromMs - last.toMs)} ms`,
      });
    }
    last = attemptOf(request, spans.filter(({ kind }) => kind === "attempt").length, fromMs, limitMs, deaths);
    spans.push(last, ...lateAnswer(request, last));
  }
  const attempts = spans.filter(({ kind }) => kind === "attempt");
  const done = attempts.find(({ tone }) => tone === "applied");
  const atMs = done?.toMs ?? attempts.at(-1)?.toMs ?? 0;
  const end = {
    atMs,
    tone: done ? "applied" : "not_applied",
    words: done ? "believes: done" : "believes: failed",
  } as const;
  return { id, spans: inOrder(spans), end };
}

function attemptOf(
  { call, reply }: Met,
  number: number,
  fromMs: number,
  limitMs: number,
  deaths: NaiveRun["deaths"],
): Span {
  const death = reply.crash ? deaths.find(({ diedAtMs }) => diedAtMs >= fromMs) : undefined;
  const endedMs = call.endedAtMs === undefined ? Number.POSITIVE_INFINITY : call.endedAtMs - START_MS;
  const toMs = death?.diedAtMs ?? Math.min(endedMs, fromMs + limitMs);
  const common = { kind: "attempt", label: `attempt ${number}`, fromMs, toMs } as const;
  if (death !== undefined) return { ...common, tone: "unknown", words: "the process died" };
  if (endedMs > fromMs + limitMs || call.abortedWith !== undefined) {
    return { ...common, tone: "not_applied", words: "timeout: “it did not happen”" };
  }
  if (call.outcome === "threw") return { ...common, tone: "not_applied", words: "no reply: “it did not happen”" };
  if (reply.status >= 300) return { ...common, tone: "not_applied", words: `${reply.status}: try again` };
  return { ...common, tone: "applied", words: "ok" };
}

function lateAnswer({ call, reply }: Met, { toMs }: Span): Span[] {
  const endedMs = (call.endedAtMs ?? START_MS) - START_MS;
  if (endedMs <= toMs || reply.slowMs === 0 || call.outcome !== "answered") return [];
  const words = "it had happened; nobody listens any more";
  return [{ kind: "late", label: "late answer", tone: "applied", fromMs: endedMs, toMs: endedMs, words }];
}
