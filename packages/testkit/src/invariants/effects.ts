import type { ActionReport, PlannedAction } from "@eoc/core";
import type { Run } from "./run.js";
import type { Find } from "./violation.js";

/** INV-EXE-3, of the outside world: what the report says happened, happened, and what it says did not, did not. */
export function checkEffects({ plan, report, world }: Run, find: Find): void {
  if (world === undefined) return;
  for (const row of report.actions) {
    const planned = plan.actions[row.index];
    // The ledger goes by id: actions that share one cannot be told apart. Reads leave nothing in it.
    if (planned === undefined || planned.effect === "none" || !isOnly(planned, plan.actions)) continue;
    const count = world.effects.filter(({ actionId }) => actionId === planned.id).length;
    const message = disagreement(row, planned, count);
    if (message !== undefined) find(message.clause, message.text, { actionIndex: row.index });
  }
}

function isOnly({ id }: PlannedAction, actions: readonly PlannedAction[]): boolean {
  return actions.filter((other) => other.id === id).length === 1;
}

function disagreement(
  { status, replayed, attemptCount }: ActionReport,
  { effect }: PlannedAction,
  count: number,
): { clause: string; text: string } | undefined {
  const times = count === 1 ? "once" : `${count} times`;
  if (effect === "once" && count > 1)
    return { clause: "S3.2", text: `the effect of a once-only action happened ${times}` };
  if (replayed) return undefined;
  if (status === "success" && count === 0)
    return { clause: "S3.1", text: "the row says success, and nothing happened" };
  if (status === "failed" && count > 0)
    return { clause: "S3.1", text: `the row says failed, and its effect happened ${times}` };
  if (attemptCount === 0 && status !== "unknown" && status !== "success" && count > 0) {
    return { clause: "S3.10", text: `never dispatched, and its effect happened ${times}` };
  }
  if (attemptCount > 0 && count > attemptCount) {
    return { clause: "S3.4", text: `${attemptCount} dispatches, and the effect happened ${times}` };
  }
  return undefined;
}
