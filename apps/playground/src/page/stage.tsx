import { computed, effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Ledger } from "./ledger.js";
import { shown, shownNumber } from "./live-state.js";
import { endMs } from "./playback.js";
import { isCurrent, issues, playheadMs } from "./state.js";
import { Timeline } from "./timeline.js";
import { EocVerdict, NaiveVerdict } from "./verdicts.js";

const summary = computed(() => {
  const run = shown.value;
  if (run === undefined || playheadMs.value < run.endMs) return "";
  const { eoc, naive } = run;
  return `Naive retry: ${naive.effects.length} in the world’s ledger, says ${naive.belief}. EOC: ${eoc.effects.length}, says ${eoc.report.status}.`;
});

/** The two sides. */
export function Stage() {
  const element = useRef<HTMLElement>(null);
  useEffect(
    () =>
      effect(() => {
        element.current?.style.setProperty("--playhead", String(playheadMs.value / endMs.value));
      }),
    [],
  );
  const run = shown.value;
  return (
    <section
      id="stage"
      class="stage"
      ref={element}
      aria-label="Naive retry beside EOC"
      aria-busy={!isCurrent.value && issues.value.length === 0}
      tabIndex={-1}
    >
      {run !== undefined && (
        <>
          <article class="side naive" key={`naive ${shownNumber.value}`} aria-labelledby="naive-title">
            <div class="top">
              <header>
                <h2 id="naive-title">Naive retry</h2>
                <p>silence means “it did not happen”</p>
              </header>
              <Ledger side={run.naive} run={run} name="Naive retry" of="naive" />
              <NaiveVerdict run={run} />
            </div>
            <Timeline name="Naive retry" side={run.naive} endMs={run.endMs} />
          </article>
          <article class="side eoc" key={`eoc ${shownNumber.value}`} aria-labelledby="eoc-title">
            <div class="top">
              <header>
                <h2 id="eoc-title">EOC</h2>
                <p>silence means “nobody knows”</p>
              </header>
              <Ledger side={run.eoc} run={run} name="EOC" of="eoc" />
              <EocVerdict run={run} />
            </div>
            <Timeline name="EOC" side={run.eoc} endMs={run.endMs} />
          </article>
        </>
      )}
      <p class="visually-hidden" role="status" data-testid="summary">
        {summary.value}
      </p>
    </section>
  );
}
