import {
  definePolicy,
  type ExecutionEvent,
  type ExecutionPlan,
  type ExecutionPolicy,
  type ExecutionPolicyInput,
  type ExecutionReport,
} from "@eoc/core";
import { canonicalJson, sha256Hex } from "@eoc/decision-schema/read";
import type { World } from "../world.js";
import { checkBounds } from "./bounds.js";
import { checkEffects } from "./effects.js";
import { checkHalts } from "./halts.js";
import { checkEventShapes, checkHygiene } from "./hygiene.js";
import { checkKeys } from "./keys.js";
import { checkOutcomes } from "./outcomes.js";
import { checkRates } from "./rates.js";
import { checkRecord } from "./record.js";
import { checkReport } from "./report-only.js";
import type { Run } from "./run.js";
import { readStory } from "./story.js";
import { finder, type Violation } from "./violation.js";

/** One execution, as it was recorded: by a test, or in production. */
export interface Recorded {
  /** What was to be done: `planExecution(decision, definePolicy(policy))`. Parsed JSON will do, which has no `planHash`. */
  plan: ExecutionPlan;
  policy: ExecutionPolicyInput | ExecutionPolicy;
  /**
   * All of them, in order, those after the report included. From `onEvent` or a journal; parsed JSON will do. Where none
   * were kept, leave them out: then the report is checked by itself, and nothing is known of halts, intents and keys.
   */
  events?: readonly ExecutionEvent[];
  report: ExecutionReport;
  /** What really happened, in a world that no other execution touched. */
  world?: Pick<World, "effects">;
  /** Strings that must appear nowhere in events and report. */
  secrets?: readonly string[];
  /** How late real timers may have been. Leave it out in virtual time. @defaultValue 0 */
  slackMs?: number;
}

/**
 * Checks a recorded execution against INV-EXE-1 to INV-EXE-6, clause by clause. It knows nothing of how `execute` works:
 * everything is worked out again from the events. Empty when every promise was kept.
 * @throws EocError `invalid_policy`, unless the report itself is of a policy that was refused.
 */
export function checkInvariants(recorded: Recorded): Violation[] {
  const { report, world, secrets = [], slackMs = 0 } = recorded;
  const violations: Violation[] = [];
  const shapes = finder(violations, "INV-EXE-5");
  const events = checkEventShapes(recorded.events ?? [], shapes);
  if (!Array.isArray(report?.actions) || !Array.isArray(report.attempts)) {
    shapes("S9.1", "the report has no rows or no attempts");
    return violations;
  }
  const isRefused = report.actions.length === 0 && report.reason !== undefined && REFUSALS.has(report.reason);
  const plan = isRefused ? { actions: [], planHash: report.planHash } : withHash(recorded.plan);
  const policy = definePolicy(report.reason === "invalid_policy" ? {} : recorded.policy);
  const run: Run = { plan, policy, events, report, story: readStory(plan, events), world, slackMs, secrets };
  if (recorded.events === undefined) checkReport(run, violations);
  else checkRun(run, violations);
  return violations.sort((a, b) => a.invariant.localeCompare(b.invariant));
}

/** JSON drops the hash, which is worked out when it is asked for. */
function withHash({ actions, planHash }: ExecutionPlan): ExecutionPlan {
  return { actions, planHash: planHash ?? sha256Hex(canonicalJson(actions)) };
}

function checkRun(run: Run, violations: Violation[]): void {
  checkRecord(run, finder(violations, "INV-EXE-1"));
  checkBounds(run, finder(violations, "INV-EXE-2"));
  const outcomes = finder(violations, "INV-EXE-3");
  checkOutcomes(run, outcomes);
  checkKeys(run, outcomes);
  checkEffects(run, outcomes);
  checkHalts(run, finder(violations, "INV-EXE-4"));
  checkHygiene(run, finder(violations, "INV-EXE-5"));
  checkRates(run, finder(violations, "INV-EXE-6"));
}

/** Reasons of an execution that has no plan. */
const REFUSALS: ReadonlySet<string> = new Set([
  "invalid_decision",
  "invalid_context",
  "invalid_policy",
  "invalid_executor",
  "invalid_options",
  "protocol_error",
]);
