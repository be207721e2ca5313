import { planExecution } from "@eoc/core";
import { useComputed } from "@preact/signals";
import type { Recording } from "../engine/recording.js";
import { playheadMs } from "./state.js";
import { BELIEFS, meaningOf, shownMs } from "./wording.js";

/** What naive retry says, and what it means by it. */
export function NaiveVerdict({ run: { naive } }: { run: Recording }) {
  const isOver = useComputed(() => playheadMs.value >= naive.endMs);
  return (
    <div class="verdict" data-over={isOver.value}>
      <p class="says">
        says <strong data-testid="naive-says">{isOver.value ? naive.belief : "…"}</strong>
        {isOver.value && <span class="facts">{requests(naive.requests)}</span>}
      </p>
      <p class="meaning">{isOver.value ? BELIEFS[naive.belief] : "still trying"}</p>
    </div>
  );
}

/** EOC's report, in short. */
export function EocVerdict({ run }: { run: Recording }) {
  const { report, requests: sent, endMs } = run.eoc;
  const isOver = useComputed(() => playheadMs.value >= endMs);
  return (
    <div class={`verdict status-${report.status}`} data-over={isOver.value}>
      <p class="says">
        says <strong data-testid="eoc-says">{isOver.value ? report.status : "…"}</strong>
        {isOver.value && report.reason !== undefined && <code>{report.reason}</code>}
        {isOver.value && <span class="facts">{requests(sent)}</span>}
      </p>
      <p class="meaning">{isOver.value ? verdictOn(run) : "still at work"}</p>
    </div>
  );
}

function verdictOn(run: Recording): string {
  const { report } = run.eoc;
  const { decision, policy } = run.setup;
  if (report.haltLatencyMs === undefined) return meaningOf(report, planExecution(decision, policy));
  return `Halted in ${shownMs(report.haltLatencyMs)}: ${tallyOf(run)}.`;
}

/** `1 not applied, 1 unknown, 1 denied`. */
function tallyOf({ eoc: { report } }: Recording): string {
  const names = { success: "applied", failed: "not applied", unknown: "unknown", denied: "denied", skipped: "skipped" };
  return Object.entries(names)
    .map(([status, name]) => [report.actions.filter((action) => action.status === status).length, name] as const)
    .filter(([count]) => count > 0)
    .map(([count, name]) => `${count} ${name}`)
    .join(", ");
}

function requests(count: number): string {
  return count === 1 ? "1 request sent" : `${count} requests sent`;
}
