/** What is known of an effect, or why there was none. */
export type Tone = "applied" | "not_applied" | "unknown" | "waiting" | "denied" | "skipped";

/** Something with a beginning and an end. Times are virtual milliseconds since the start. */
export interface Span {
  readonly kind: "attempt" | "wait" | "reconcile" | "late";
  readonly label: string;
  readonly tone: Tone;
  readonly fromMs: number;
  readonly toMs: number;
  readonly words: string;
}

/** One action: what happened to it in time, and what it came to. */
export interface Track {
  readonly id: string;
  readonly spans: readonly Span[];
  readonly end?: { readonly atMs: number; readonly tone: Tone; readonly words: string };
}

/** Something that happened to the whole at a moment. */
export interface Mark {
  readonly kind: "halt" | "crash" | "restart";
  readonly atMs: number;
  readonly words: string;
  /** What is to be said after the time. */
  readonly note?: string;
}

/** What a side's timeline shows. */
export interface Tracks {
  readonly tracks: readonly Track[];
  readonly marks: readonly Mark[];
}

/** In the order in which they began. */
export function inOrder(spans: readonly Span[]): Span[] {
  return spans.toSorted((a, b) => a.fromMs - b.fromMs);
}

/** The last moment at which anything happens; what has no end yet does not count. */
export function endOf({ tracks, marks }: Tracks): number {
  const spans = tracks.flatMap((track) => track.spans.map(({ toMs }) => toMs));
  const ends = tracks.flatMap(({ end }) => (end === undefined ? [] : [end.atMs]));
  return Math.max(0, ...[...spans, ...ends, ...marks.map(({ atMs }) => atMs)].filter(Number.isFinite));
}
