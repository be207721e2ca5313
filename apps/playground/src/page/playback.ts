import { computed } from "@preact/signals";
import { endOf } from "../engine/tracks.js";
import { isLive, liveNowMs, runLive, setSwitch, shown } from "./live-state.js";
import { scenarioOf } from "./scenarios.js";
import { isPlaying, playheadMs, show, speed, texts } from "./state.js";

/** A whole run takes so long on the screen at normal speed, however long it took there. */
const WHOLE_MS = 3200;
/** Between two moments, where nothing is to move. */
const STEP_MS = 700;

const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

export const endMs = computed(() => Math.max(1, shown.value?.endMs ?? 1));
/** Virtual milliseconds that pass in a real one. */
const pace = computed(() => (endMs.value / WHOLE_MS) * speed.value);

/** Every moment at which something happens on either side. */
const moments = computed<readonly number[]>(() => {
  const run = shown.value;
  if (run === undefined) return [0];
  const times = [run.naive, run.eoc].flatMap(({ tracks, marks, effects, endMs }) => [
    ...tracks.flatMap(({ spans }) => spans.flatMap(({ fromMs, toMs }) => [fromMs, toMs])),
    ...marks.map(({ atMs }) => atMs),
    ...effects.map(({ atMs = 0 }) => atMs),
    endMs,
  ]);
  return [...new Set([0, ...times, run.endMs])].sort((a, b) => a - b);
});

/** When EOC has nothing more under way. */
const eocEndMs = computed(() => {
  const run = shown.value;
  return run === undefined ? 0 : Math.max(run.eoc.endMs, endOf(run.eoc));
});

let frame = 0;
let lastFrameMs = 0;
let sinceStepMs = 0;

/** Plays from here; from the beginning, where nothing is left. */
export function play(): void {
  if (playheadMs.value >= endMs.value) playheadMs.value = 0;
  isPlaying.value = true;
  lastFrameMs = 0;
  sinceStepMs = 0;
  cancelAnimationFrame(frame);
  frame = requestAnimationFrame(tick);
}

export function pause(): void {
  isPlaying.value = false;
  cancelAnimationFrame(frame);
}

/** Plays a run that is new: from `fromMs`, or to its end at once where motion is not wanted. */
export function begin(fromMs: number): void {
  playheadMs.value = Math.min(fromMs, endMs.value);
  if (calm.matches) {
    pause();
    playheadMs.value = endMs.value;
  } else play();
}

export function scrubTo(ms: number): void {
  pause();
  playheadMs.value = Math.max(0, Math.min(ms, endMs.value));
}

export function stepForward(): void {
  scrubTo(moments.value.find((ms) => ms > playheadMs.value + 1e-6) ?? endMs.value);
}

export function stepBack(): void {
  scrubTo(moments.value.findLast((ms) => ms < playheadMs.value - 1e-6) ?? 0);
}

/**
 * The red button. While EOC is at work the run is made anew with a halt at this very moment: up to here it is the same. Once it is
 * over, three actions are set off and halted in flight. A live run is halted by the server's own kill switch.
 */
export function halt(): void {
  if (isLive.value) {
    void setSwitch(true);
    return;
  }
  const now = playheadMs.value;
  // The next whole millisecond: what is on the screen has happened.
  const haltAtMs = Math.floor(now) + 1;
  const alreadyHalted = (shown.value?.setup.haltAtMs ?? Number.POSITIVE_INFINITY) <= haltAtMs;
  if (now < eocEndMs.value && !alreadyHalted) show({ ...texts.value, haltAtMs }, now);
  else show(scenarioOf("halt-three-in-flight")!.texts);
}

/** Runs the setup against the real world, and goes with the time there. */
export async function playLive(): Promise<void> {
  pause();
  playheadMs.value = 0;
  const running = runLive();
  const follow = () => {
    if (isLive.value) playheadMs.value = Math.min(liveNowMs(), endMs.value);
    frame = requestAnimationFrame(follow);
  };
  follow();
  await running;
  cancelAnimationFrame(frame);
  playheadMs.value = endMs.value;
}

function tick(nowMs: number): void {
  const passedMs = lastFrameMs === 0 ? 0 : Math.min(100, nowMs - lastFrameMs);
  lastFrameMs = nowMs;
  if (calm.matches) {
    sinceStepMs += passedMs;
    if (sinceStepMs >= STEP_MS) {
      sinceStepMs = 0;
      playheadMs.value = moments.value.find((ms) => ms > playheadMs.value + 1e-6) ?? endMs.value;
    }
  } else playheadMs.value = Math.min(endMs.value, playheadMs.value + passedMs * pace.value);
  if (playheadMs.value >= endMs.value) isPlaying.value = false;
  else if (isPlaying.value) frame = requestAnimationFrame(tick);
}
