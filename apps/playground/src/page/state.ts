import { computed, effect, signal } from "@preact/signals";
import { linkOf, textsOfLink } from "../engine/link.js";
import { type PlayTexts, setupOfTexts, type TextIssue, unmetLines } from "../engine/play-texts.js";
import { type Recording, record } from "../engine/recording.js";
import { FIRST, scenarioOf } from "./scenarios.js";

/** What stands in the editors. Everything else follows from it. */
export const texts = signal<PlayTexts>(FIRST.texts);
export const parsed = computed(() => setupOfTexts(texts.value));
export const issues = computed<readonly TextIssue[]>(() => parsed.value.issues);
/** Lines of the script that no request ever meets. */
export const unmet = computed<readonly TextIssue[]>(() =>
  parsed.value.setup === undefined ? [] : unmetLines(parsed.value.setup),
);

/** The last run of something valid. */
export const recording = signal<Recording | undefined>(undefined);
/** Said once when a link could not be followed to its end. */
export const notice = signal("");

/** Whether the recording is of what the texts say now. */
export const isCurrent = computed(() => recording.value !== undefined && recording.value.setup === parsed.value.setup);

export const playheadMs = signal(0);
export const isPlaying = signal(false);
export const speed = signal(1);

/** The scenario that the texts began as. */
export const base = computed(() => scenarioOf(texts.value.name) ?? FIRST);
export const link = computed(() => linkOf(texts.value, base.value.texts));

/** Where playing begins once the next recording is there. */
let startAtMs: number | undefined;
let runs = 0;

/** Shows other texts, and plays them from `fromMs`. */
export function show(next: PlayTexts, fromMs = 0): void {
  startAtMs = fromMs;
  notice.value = "";
  texts.value = { ...next };
}

/** Changes the texts in place, as an editor does, and plays them from the beginning. */
export function edit(change: Partial<PlayTexts>): void {
  show({ ...texts.value, ...change });
}

/** Takes the page's address for what to show first. */
export function followLink(fragment: string): void {
  const { texts: linked, problem = "" } = textsOfLink(fragment, (name) => scenarioOf(name)?.texts);
  show(linked ?? FIRST.texts);
  notice.value = problem;
}

/** Records whatever the texts say, as often as they change. */
export function keepRecording(onReady: (fromMs: number) => void): () => void {
  return effect(() => {
    const { setup } = parsed.value;
    if (setup === undefined) return;
    const run = ++runs;
    const failed = (error: Error) => {
      if (run === runs) notice.value = `This cannot be played: ${error.message.split("\n")[0]}`;
    };
    void record(setup).then((made) => {
      if (run !== runs) return;
      recording.value = made;
      onReady(startAtMs ?? 0);
      startAtMs = undefined;
    }, failed);
  });
}
