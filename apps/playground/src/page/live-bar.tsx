import { isLive, isShownLive, isSwitchThrown, offer, setSwitch, whyNotLive } from "./live-state.js";
import { playLive } from "./playback.js";

/** What a page that is served over a real world can do besides. */
export function LiveBar() {
  if (offer === undefined) return null;
  const state = isLive.value ? "running live …" : isShownLive.value ? "a live run" : "on virtual time";
  return (
    <section class="live" aria-label="Live mode">
      <p>
        <b>Live.</b> The outside world answers at <code>{offer.world}</code>. On the stage:{" "}
        <span data-testid="live-state">{state}</span>
      </p>
      <button
        type="button"
        class="primary"
        disabled={isLive.value || whyNotLive.value !== ""}
        aria-describedby="why-not-live"
        onClick={() => void playLive()}
      >
        Run it live
      </button>
      <p id="why-not-live" class="hint">
        {whyNotLive.value}
      </p>
      {isSwitchThrown.value && (
        <>
          <p class="thrown" role="status">
            ⊘ The kill switch is thrown: EOC sends nothing.
          </p>
          <button type="button" onClick={() => void setSwitch(false)}>
            Take it back
          </button>
        </>
      )}
    </section>
  );
}
