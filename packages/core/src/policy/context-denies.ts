import type { ExecutionContext } from "@eoc/decision-schema/read";
import type { Clock } from "../ports/clock.js";

/**
 * Whether the ops signals in the context forbid every action (S2.1): `ops_deny_actions` that is anything but false, null,
 * absent, 0 or ""; `ops_state` RED; a cooldown later than `now_ms`, or than the clock where the context has none. A
 * cooldown that is not a number denies as well.
 */
export function contextDenies(context: Readonly<ExecutionContext>, clock: Pick<Clock, "now">): boolean {
  const { ops_deny_actions, ops_state, ops_cooldown_until_ms, now_ms } = context as Record<string, unknown>;
  if (ops_deny_actions !== undefined && ops_deny_actions !== null && !ALLOWING.has(ops_deny_actions)) return true;
  if (ops_state === "RED") return true;
  if (ops_cooldown_until_ms === undefined || ops_cooldown_until_ms === null) return false;
  if (typeof ops_cooldown_until_ms !== "number") return true;
  const now = typeof now_ms === "number" && !Number.isNaN(now_ms) ? now_ms : clock.now();
  return !(ops_cooldown_until_ms <= now);
}

const ALLOWING: ReadonlySet<unknown> = new Set([false, 0, ""]);
