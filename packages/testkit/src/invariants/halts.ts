import type { ExecutionEvent } from "@eoc/core";
import type { Run } from "./run.js";
import type { Find } from "./violation.js";

/** INV-EXE-4: after a halt nothing is dispatched, and nothing waits. */
export function checkHalts(run: Run, find: Find): void {
  const { story, report } = run;
  const { halt } = story;
  if ((report.haltLatencyMs !== undefined) !== (halt !== undefined) && story.finished !== undefined) {
    find("S2.4", halt === undefined ? "haltLatencyMs without a halt" : "a halt without haltLatencyMs", halt);
  }
  if (halt === undefined) {
    if (report.reason === "kill_switch" && report.attempts.length > 0) {
      find("S2.1", `the context forbids everything, and there were ${report.attempts.length} dispatches`);
    }
    return;
  }
  for (const { started } of story.starts) {
    if (started.seq > halt.seq)
      find("S2.2", `a dispatch started after a halt had been observed (${halt.cause})`, started);
  }
  const claimed = new Set(story.actions.filter((action) => action.claimed).map(({ planned }) => planned.index));
  for (const event of story.events) {
    if (event.seq <= halt.seq || event.type !== "action.finished") continue;
    if (event.replayed) find("S5.5", "a halted execution replayed a result", event);
    // A claimed key is written first: its action may have been ended before the halt.
    if (event.reason === "prior_action_failed" && event.attemptCount === 0 && !claimed.has(event.actionIndex)) {
      find("S2.4", "never dispatched, and skipped after a halt in place of denied", event);
    }
  }
  checkWaits(run, halt, find);
  checkInFlight(run, halt, find);
}

/** S2.4: a halt ends every wait at once, and none begins after it. */
function checkWaits({ story, slackMs }: Run, halt: ExecutionEvent, find: Find): void {
  const open = new Set<number>();
  for (const event of story.events) {
    if (event.type === "wait.started") {
      if (event.seq > halt.seq) find("S2.4", `a ${event.cause} wait began after a halt`, event);
      else open.add(event.actionIndex);
    } else if (event.type === "wait.finished" && open.delete(event.actionIndex) && event.seq > halt.seq) {
      const overMs = event.atMs - halt.atMs;
      if (overMs > slackMs) find("S2.4", `a ${event.cause} wait went on for ${overMs} ms after a halt`, event);
    }
  }
}

/** S2.4: an attempt in flight is aborted, and given up after the grace. */
function checkInFlight({ policy, story, slackMs }: Run, halt: ExecutionEvent, find: Find): void {
  if (policy.onHalt !== "abort") return;
  for (const { started, finished } of story.starts) {
    if (started.seq > halt.seq || finished === undefined || finished.seq < halt.seq) continue;
    const overMs = finished.atMs - halt.atMs;
    if (overMs > policy.timeout.abortGraceMs + slackMs) {
      find(
        "S2.4",
        `an attempt went on for ${overMs} ms after a halt; the grace is ${policy.timeout.abortGraceMs} ms`,
        finished,
      );
    }
  }
}
