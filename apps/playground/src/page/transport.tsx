import { definePolicy } from "@eoc/core";
import { computed } from "@preact/signals";
import { Icon } from "./icons.js";
import { shown } from "./live-state.js";
import { endMs, halt, pause, play, scrubTo, stepBack, stepForward } from "./playback.js";
import { isPlaying, issues, playheadMs, speed } from "./state.js";
import { shownMs } from "./wording.js";

const SPEEDS = [0.25, 0.5, 1, 2, 4];

const position = computed(() => Math.round(playheadMs.value));

/** Always on screen: where in time we are, the red button, and the worst that the policy allows. */
export function Transport() {
  return (
    <section class="transport" aria-label="Playback, halt and bounds">
      <div class="buttons">
        <button type="button" onClick={stepBack} aria-label="Step back">
          <Icon name="back" />
        </button>
        <button
          type="button"
          class="play"
          onClick={() => (isPlaying.value ? pause() : play())}
          aria-label={isPlaying.value ? "Pause" : "Play"}
        >
          <Icon name={isPlaying.value ? "pause" : "play"} />
        </button>
        <button type="button" onClick={stepForward} aria-label="Step forward">
          <Icon name="forward" />
        </button>
      </div>
      <label class="scrub">
        <span class="visually-hidden">Time</span>
        <input
          type="range"
          min={0}
          max={Math.ceil(endMs.value)}
          step="any"
          value={playheadMs}
          aria-valuetext={`${position.value} of ${Math.round(endMs.value)} milliseconds`}
          onInput={(event) => scrubTo(event.currentTarget.valueAsNumber)}
        />
        <span class="time">
          {shownMs(position.value)} <span>of {shownMs(endMs.value)}</span>
        </span>
      </label>
      <label class="speed">
        <span class="visually-hidden">Speed</span>
        <select
          value={String(speed.value)}
          onChange={(event) => {
            speed.value = Number(event.currentTarget.value);
          }}
        >
          {SPEEDS.map((factor) => (
            <option key={factor} value={String(factor)}>
              {factor}×
            </option>
          ))}
        </select>
      </label>
      <Bounds />
      <button type="button" class="halt" onClick={halt}>
        HALT
      </button>
    </section>
  );
}

function Bounds() {
  const run = shown.value;
  if (run === undefined) return <p class="bounds" />;
  const wrong = issues.value.some(({ field }) => field === "policy");
  const { maxDispatches, maxWallMs } = run.bounds;
  const { maxRetries } = definePolicy(run.setup.policy).retry;
  return (
    <p class="bounds" data-testid="bounds">
      <span class="bounds-label">{wrong ? "the policy is invalid; last valid one" : "worst case"}</span>
      <strong>
        at most {maxDispatches} {maxDispatches === 1 ? "dispatch" : "dispatches"}, {seconds(maxWallMs)}
      </strong>
      <span class="bounds-more">1 + {maxRetries} retries an action</span>
    </p>
  );
}

function seconds(ms: number): string {
  return `${(ms / 1000).toLocaleString("en", { maximumFractionDigits: 1 })} s`;
}
