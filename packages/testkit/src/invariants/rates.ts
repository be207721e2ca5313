import type { Action, ExecutionPolicy, RateLimit } from "@eoc/core";
import type { Run } from "./run.js";
import type { Find } from "./violation.js";

/** The start of a dispatch, as far as rate limits go. */
export interface RatedStart {
  readonly atMs: number;
  readonly action: Action;
  readonly seq?: number;
  readonly actionIndex?: number;
}

/** INV-EXE-6: no window of any limit has more starts than it allows. */
export function checkRates({ policy, story }: Run, find: Find): void {
  const starts = story.starts.flatMap(({ started, actionIndex }): RatedStart[] => {
    const planned = story.actions[actionIndex]?.planned;
    return planned === undefined ? [] : [{ atMs: started.atMs, action: planned.action, seq: started.seq, actionIndex }];
  });
  checkRatedStarts(policy, starts, "S6.1", find);
}

/** The same over starts from anywhere, in any order. */
export function checkRatedStarts(
  policy: ExecutionPolicy,
  starts: readonly RatedStart[],
  clause: string,
  find: Find,
): void {
  const { global, perAction = {} } = policy.rateLimit;
  if (global !== undefined) checkWindow("global", global, starts, clause, find);
  for (const [action, limit] of Object.entries(perAction)) {
    const own = starts.filter((start) => start.action === action);
    checkWindow(action, limit, own, clause, find);
  }
}

/** Windows are half-open: exactly `windowMs` apart is fine. */
function checkWindow(
  name: string,
  { limit, windowMs }: RateLimit,
  starts: readonly RatedStart[],
  clause: string,
  find: Find,
): void {
  const inOrder = [...starts].sort((a, b) => a.atMs - b.atMs);
  for (let last = limit; last < inOrder.length; last++) {
    const spanMs = inOrder[last]!.atMs - inOrder[last - limit]!.atMs;
    if (spanMs >= windowMs) continue;
    const message = `${limit + 1} dispatches started within ${spanMs} ms; the limit of ${name} is ${limit} in ${windowMs} ms`;
    find(clause, message, inOrder[last]);
  }
}
