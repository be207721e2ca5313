import type { Action } from "@eoc/core";
import { checkInvariants } from "../invariants/check-invariants.js";
import { checkRatedStarts, type RatedStart } from "../invariants/rates.js";
import { finder, type Violation } from "../invariants/violation.js";
import type { Bench, ExploredExecution } from "./lab.js";

/** Everything that is wrong with what happened in a lab: with each execution, and with all of them together. */
export function judge(bench: Bench, secrets: readonly string[]): Violation[] {
  const { executions, observer, keepsLedger } = bench;
  const violations = [...observer.violations];
  // The ledger does not say which execution an effect belongs to.
  const ledger = keepsLedger && executions.length === 1 ? { world: bench.world } : {};
  for (const execution of executions) {
    violations.push(...checkInvariants({ ...execution, ...ledger, secrets }));
    const find = finder(violations, "INV-EXE-1");
    const { report } = execution;
    for (const { index } of report.actions) {
      const called = observer.callsOf(report.executionId, index);
      const reported = report.attempts.filter(({ actionIndex }) => actionIndex === index).length;
      if (called !== reported) {
        find("S8.1", `the executor was called ${called} times, the report has ${reported} attempts`, {
          actionIndex: index,
        });
      }
    }
  }
  if (executions.length > 1) {
    if (keepsLedger) checkSharedKeys(executions, bench.world.effects, violations);
    checkSharedLimits(executions, violations);
  }
  return violations;
}

/** S7.2: under one key of one store, a once-only effect happens once, however many executions there are. */
function checkSharedKeys(
  executions: readonly ExploredExecution[],
  effects: Bench["world"]["effects"],
  violations: Violation[],
): void {
  const seen = new Set<string>();
  for (const { policy, plan, report, options } of executions) {
    const { enabled, onUnknown } = policy.idempotency;
    if (!enabled || onUnknown === "retry" || options.idempotencyStore === undefined) continue;
    for (const { index, id, idempotencyKey } of report.actions) {
      if (idempotencyKey === undefined || seen.has(idempotencyKey) || plan.actions[index]?.effect !== "once") continue;
      seen.add(idempotencyKey);
      const count = effects.filter(({ key, actionId }) =>
        key === undefined ? actionId === id : key === idempotencyKey,
      ).length;
      if (count <= 1) continue;
      const message = `a once-only effect happened ${count} times under one idempotency key, in ${executions.length} executions`;
      finder(violations, "INV-EXE-3")("S7.2", message, { actionIndex: index });
    }
  }
}

/** S6.4: limits hold across executions that share a limiter. */
function checkSharedLimits(executions: readonly ExploredExecution[], violations: Violation[]): void {
  const byLimiter = new Map<object, ExploredExecution[]>();
  for (const execution of executions) {
    const { rateLimiter } = execution.options;
    if (rateLimiter === undefined) continue;
    byLimiter.set(rateLimiter, [...(byLimiter.get(rateLimiter) ?? []), execution]);
  }
  for (const sharing of byLimiter.values()) {
    // Limits that differ are a matter of the limiter's.
    const limits = new Set(sharing.map(({ policy }) => JSON.stringify(policy.rateLimit)));
    if (sharing.length < 2 || limits.size > 1) continue;
    const starts = sharing.flatMap(startsOf);
    checkRatedStarts(sharing[0]!.policy, starts, "S6.4", finder(violations, "INV-EXE-6"));
  }
}

function startsOf({ events, plan }: ExploredExecution): RatedStart[] {
  return events.flatMap((event) => {
    if (event.type !== "attempt.started") return [];
    const action: Action = plan.actions[event.actionIndex]!.action;
    return [{ atMs: event.atMs, action, actionIndex: event.actionIndex }];
  });
}
