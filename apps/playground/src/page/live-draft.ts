import { type ExecutionEvent, type ExecutionReport, reportFromEvents } from "@eoc/core";
import type { WorldEffect } from "@eoc/testkit";
import { explainReport, type JournalRecord } from "@eoc/trace";
import { eocTracks } from "../engine/eoc-tracks.js";
import type { PlayTexts } from "../engine/play-texts.js";
import { hashOf, type Recording, type Side } from "../engine/recording.js";
import { endOf, type Span, type Track, type Tracks } from "../engine/tracks.js";
import type { WorldMessage } from "../live/wire.js";

/** What is known of a live run so far. Every step gives a new one. */
export interface LiveDraft {
  readonly texts: PlayTexts;
  readonly startedAtMs: number;
  readonly isOver: boolean;
  saw(event: ExecutionEvent): LiveDraft;
  told(message: WorldMessage): LiveDraft;
  ended(report: ExecutionReport, journal: readonly string[]): LiveDraft;
  /** The same as a recording, with what a live run does not have taken from the virtual one. */
  recordingOver(virtual: Recording): Recording;
}

interface Facts {
  readonly texts: PlayTexts;
  readonly startedAtMs: number;
  readonly events: readonly ExecutionEvent[];
  readonly messages: readonly WorldMessage[];
  readonly report?: ExecutionReport;
  readonly journal: readonly string[];
}

const CAME = {
  ok: { tone: "applied", words: "ok" },
  refused: { tone: "not_applied", words: "refused: try again" },
  no_reply: { tone: "not_applied", words: "no reply: “it did not happen”" },
  timeout: { tone: "not_applied", words: "timeout: “it did not happen”" },
} as const;

/** A run that has only begun. */
export function draftOf(texts: PlayTexts, startedAtMs: number): LiveDraft {
  return from({ texts, startedAtMs, events: [], messages: [], journal: [] });
}

function from(facts: Facts): LiveDraft {
  const { texts, startedAtMs, events, messages } = facts;
  return {
    texts,
    startedAtMs,
    isOver: facts.report !== undefined,
    saw: (event) => from({ ...facts, events: [...events, event] }),
    told: (message) => from({ ...facts, messages: [...messages, message] }),
    ended: (report, journal) => from({ ...facts, report, journal }),
    recordingOver: (virtual) => recordingOf(facts, virtual),
  };
}

function recordingOf({ events, messages, startedAtMs, report, journal }: Facts, virtual: Recording): Recording {
  const ours = eocTracks([{ events }], startedAtMs);
  const theirs = naiveTracks(messages);
  const finished = messages.find((message) => message.type === "naive.finished");
  const last = events.at(-1);
  const isReported = last?.type === "execution.finished";
  const eocEndMs = isReported ? last.atMs - startedAtMs : Number.POSITIVE_INFINITY;
  const naiveEndMs = finished?.atMs ?? Number.POSITIVE_INFINITY;
  const shownReport = report ?? (isReported ? reportFromEvents(events) : virtual.eoc.report);
  const record = journal.length > 0 ? (JSON.parse(journal.at(-1)!) as JournalRecord) : undefined;
  const happenedMs = Math.max(endOf(ours), endOf(theirs), ...messages.map(({ atMs }) => atMs));
  const side = (tracks: Tracks, name: "eoc" | "naive", endMs: number): Side => ({
    ...tracks,
    effects: effectsOf(messages, name),
    requests: messages.filter((message) => message.type === "request" && message.side === name).length,
    endMs,
  });
  return {
    ...virtual,
    eoc: {
      ...side(ours, "eoc", eocEndMs),
      report: shownReport,
      story: report === undefined ? "" : explainReport(report),
      met: [],
    },
    naive: { ...side(theirs, "naive", naiveEndMs), belief: finished?.belief ?? "failed" },
    reportHash: report === undefined ? "" : hashOf(report),
    journal: record === undefined ? virtual.journal : { lines: journal, head: { seq: record.seq, hash: record.hash } },
    // While it runs there is some room for what is still to come.
    endMs: report === undefined ? Math.max(500, happenedMs * 1.3) : Math.max(happenedMs, eocEndMs, naiveEndMs),
  };
}

function effectsOf(messages: readonly WorldMessage[], side: "eoc" | "naive"): WorldEffect[] {
  return messages.flatMap((message) =>
    message.type === "effect" && message.side === side ? [{ actionId: message.actionId, atMs: message.atMs }] : [],
  );
}

function naiveTracks(messages: readonly WorldMessage[]): Tracks {
  const tracks = new Map<string, Span[]>();
  for (const message of messages) {
    if (message.type !== "attempt.started" && message.type !== "attempt.finished") continue;
    const { actionId, number, atMs } = message;
    const spans = tracks.get(actionId) ?? [];
    tracks.set(actionId, spans);
    if (message.type === "attempt.started") {
      const previous = spans.at(-1);
      if (previous !== undefined && atMs - previous.toMs > 1) {
        const words = `${Math.round(atMs - previous.toMs)} ms`;
        spans.push({ kind: "wait", label: "backs off", tone: "waiting", fromMs: previous.toMs, toMs: atMs, words });
      }
      const label = `attempt ${number}`;
      spans.push({ kind: "attempt", label, tone: "unknown", fromMs: atMs, toMs: Number.POSITIVE_INFINITY, words: "" });
    } else {
      const span = spans.pop();
      if (span !== undefined) spans.push({ ...span, toMs: atMs, ...CAME[message.came] });
    }
  }
  return { tracks: [...tracks].map(([id, spans]) => trackOf(id, spans)), marks: [] };
}

function trackOf(id: string, spans: readonly Span[]): Track {
  const last = spans.at(-1);
  if (last === undefined || last.toMs === Number.POSITIVE_INFINITY) return { id, spans };
  const isDone = spans.some(({ kind, tone }) => kind === "attempt" && tone === "applied");
  const end = { atMs: last.toMs, tone: isDone ? "applied" : "not_applied" } as const;
  return { id, spans, end: { ...end, words: isDone ? "believes: done" : "believes: failed" } };
}
