import { useComputed } from "@preact/signals";
import type { Side } from "../engine/recording.js";
import type { Mark, Span, Track } from "../engine/tracks.js";
import { playheadMs } from "./state.js";
import { GLYPHS, shownMs } from "./wording.js";

/** More than anybody reads: policies can allow thousands of attempts, and decisions hold hundreds of actions. */
const MAX_ROWS = 40;
const MAX_TRACKS = 20;

/** What happened in time, both sides to the same scale. */
export function Timeline({ name, side, endMs }: { name: string; side: Side; endMs: number }) {
  return (
    <div class="timeline">
      <p class="timeline-name">{name}, in time</p>
      <div class="rows">
        {side.marks.map((mark, index) => (
          <MarkLine key={index} mark={mark} endMs={endMs} />
        ))}
        <span class="playhead" aria-hidden="true" />
        {side.tracks.slice(0, MAX_TRACKS).map((track) => (
          <TrackRows key={track.id} track={track} side={side} endMs={endMs} />
        ))}
        {side.tracks.length > MAX_TRACKS && <p>… and {side.tracks.length - MAX_TRACKS} more actions</p>}
      </div>
      <Axis endMs={endMs} />
    </div>
  );
}

function TrackRows({ track, side, endMs }: { track: Track; side: Side; endMs: number }) {
  const effects = side.effects.filter(({ actionId }) => actionId === track.id);
  const isOver = useComputed(() => track.end !== undefined && playheadMs.value >= track.end.atMs);
  return (
    <div class="track">
      <p class="track-title">
        <b>{track.id}</b>
        {isOver.value && track.end !== undefined && (
          <span class={`outcome ${track.end.tone}`}>
            <span aria-hidden="true">{GLYPHS[track.end.tone]}</span> {track.end.words}
          </span>
        )}
      </p>
      <div class="row world">
        <span class="row-text">in the world</span>
        <div class="lane">
          {effects.map(({ atMs = 0 }, index) => (
            <Coin key={index} atMs={atMs} endMs={endMs} isAgain={index > 0} />
          ))}
        </div>
      </div>
      {track.spans.slice(0, MAX_ROWS).map((span, index) => (
        <SpanRow key={index} span={span} endMs={endMs} />
      ))}
      {track.spans.length > MAX_ROWS && <p class="row-text">… and {track.spans.length - MAX_ROWS} more</p>}
    </div>
  );
}

const UNDER_WAY: Readonly<Record<Span["kind"], string>> = {
  attempt: "in flight …",
  wait: "…",
  reconcile: "asking …",
  late: "",
};

function Words({ tone, words }: Pick<Span, "tone" | "words">) {
  return (
    <>
      <span aria-hidden="true">{GLYPHS[tone]}</span> {words}
    </>
  );
}

/** When it ends is not told before it has. */
function timesOf({ kind, fromMs, toMs }: Span, isUnderWay: boolean): string {
  if (kind === "late") return shownMs(fromMs);
  return `${shownMs(fromMs)} – ${isUnderWay ? "…" : shownMs(toMs)}`;
}

/** The moment of an effect, once it has come. */
function Coin({ atMs, endMs, isAgain }: { atMs: number; endMs: number; isAgain: boolean }) {
  const hasHappened = useComputed(() => playheadMs.value >= atMs);
  if (!hasHappened.value) return null;
  const words = `${isAgain ? "again, " : ""}at ${shownMs(atMs)}`;
  return <span class={`coin ${isAgain ? "again" : ""}`} style={{ left: `${percent(atMs, endMs)}%` }} title={words} />;
}

function SpanRow({ span, endMs }: { span: Span; endMs: number }) {
  const phase = useComputed(() => {
    if (playheadMs.value < span.fromMs) return "future";
    return playheadMs.value < span.toMs ? "now" : "past";
  });
  const { kind, tone, label, words, fromMs, toMs } = span;
  const isNow = phase.value === "now";
  return (
    <div class={`row ${kind} ${tone}`} data-phase={phase.value}>
      <span class="row-text">
        <span class="label">{label}</span>
        <span class={`words ${isNow ? "waiting" : tone}`}>
          {isNow ? UNDER_WAY[kind] : <Words tone={tone} words={words} />}
        </span>
        <span class="ms">{timesOf(span, isNow)}</span>
      </span>
      <div class="lane">
        <span
          class={kind === "late" ? "diamond" : "bar"}
          style={{
            left: `${percent(fromMs, endMs)}%`,
            width: kind === "late" ? "" : `${percent(toMs - fromMs, endMs)}%`,
          }}
        />
      </div>
    </div>
  );
}

function MarkLine({ mark, endMs }: { mark: Mark; endMs: number }) {
  const isPast = useComputed(() => playheadMs.value >= mark.atMs);
  const at = percent(mark.atMs, endMs);
  if (!isPast.value) return null;
  return (
    <span class={`mark ${mark.kind}`} style={{ left: `${at}%` }} data-side={at > 60 ? "left" : "right"}>
      <span class="mark-text">
        {mark.words} at {shownMs(mark.atMs)}
        {mark.note !== undefined && `, ${mark.note}`}
      </span>
    </span>
  );
}

function Axis({ endMs }: { endMs: number }) {
  const step = niceStep(endMs);
  const ticks = Array.from({ length: Math.floor(endMs / step) + 1 }, (_, index) => index * step);
  return (
    <div class="axis" aria-hidden="true">
      {ticks.map((ms) => (
        <span key={ms} style={{ left: `${percent(ms, endMs)}%` }} class={percent(ms, endMs) > 92 ? "last" : ""}>
          {ms === 0 ? "0" : shownMs(ms)}
        </span>
      ))}
    </div>
  );
}

function percent(ms: number, endMs: number): number {
  return endMs > 0 ? Math.min(100, (ms / endMs) * 100) : 0;
}

/** 1, 2 or 5 times a power of ten, for two to five ticks. */
function niceStep(endMs: number): number {
  const rough = Math.max(1, endMs / 4);
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
}
