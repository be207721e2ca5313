import type { Run } from "./run.js";
import type { ActionStory } from "./story.js";
import type { Find } from "./violation.js";

const WRITTEN = {
  success: "key.completed",
  unknown: "key.unknown",
  failed: "key.released",
  denied: "key.released",
  skipped: "key.released",
} as const;

/** INV-EXE-3, of idempotency keys: one for each action, claimed before the dispatch, settled with the row. */
export function checkKeys(run: Run, find: Find): void {
  for (const row of run.report.actions) {
    const place = { actionIndex: row.index };
    const given = run.plan.actions[row.index]?.idempotencyKey;
    if (given !== undefined && row.idempotencyKey !== undefined && row.idempotencyKey !== given) {
      find("S7.1", "the action's own key was not used", place);
    }
    for (const { actionIndex, idempotencyKey, attemptNumber } of run.report.attempts) {
      if (actionIndex === row.index && idempotencyKey !== row.idempotencyKey) {
        find("S7.1", `attempt ${attemptNumber} has another key than its action`, place);
      }
    }
  }
  for (const action of run.story.actions) {
    checkClaim(run, action, find);
    checkWrite(action, find);
  }
}

/** S7.2: the key is claimed before the first dispatch. */
function checkClaim({ policy }: Run, { attempts, claimed }: ActionStory, find: Find): void {
  const first = attempts[0]?.started;
  if (!policy.idempotency.enabled || first === undefined) return;
  if (claimed === undefined || claimed.seq > first.seq)
    find("S7.2", "dispatched without having claimed its key", first);
}

/** S7.4, S7.6: a claimed key is given its outcome with the action's end, and a failed write shows in the row. */
function checkWrite({ claimed, finished, keyWrites }: ActionStory, find: Find): void {
  if (claimed === undefined || finished === undefined) return;
  const write = keyWrites.findLast(({ seq }) => seq < finished.seq);
  if (write === undefined) {
    find("S7.4", "the action ended, and its key was left claimed", finished);
    return;
  }
  // An executor that has not settled may still apply the effect, whatever the row says.
  const isFitting =
    write.type === WRITTEN[finished.status] || (write.type === "key.unknown" && finished.status === "failed");
  if (!isFitting) find("S7.4", `${write.type} with the status ${finished.status}`, write);
  // Who has lost his claim need not be able to write.
  const isLost = finished.reason === "in_progress" && !write.recorded;
  if (write.recorded === (finished.recordError !== undefined) && !(isLost && finished.recordError === undefined)) {
    find(
      "S7.6",
      write.recorded
        ? "recordError although the key was written"
        : "the key was not written, and no recordError says so",
      finished,
    );
  }
}
