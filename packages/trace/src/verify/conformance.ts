import type { Effect, ExecutionEvent, ExecutionPolicy, ExecutionPolicyInput } from "@eoc/core";
import type { JournalBounds, JournalOpening, JournalRecord } from "../journal-record.js";
import { fitsDigest, readPolicy, recordPolicy } from "../policy-record.js";
import type { Charge, Charges } from "./action-conduct.js";
import { Conduct } from "./conduct.js";
import { type Finding, type JournalProblem, Problems } from "./findings.js";

/** Whether what was done is what the policy on record allows, by the records alone. */
export interface ConformanceFinding extends Finding<"PASS" | "FAIL" | "NOT PROVEN"> {
  /** What could not be checked for want of a policy or an effect class on record, and where; the first hundred of it. */
  unproven: readonly JournalProblem[];
}

/**
 * Whether what was done is what may be done, by the records alone: dispatches, retries, times and order are derived from them anew
 * and held to the policy on record. A journal that was rewritten and chained correctly does not get past it by its hashes.
 */
export class ConformanceCheck {
  readonly #problems = new Problems();
  readonly #unproven = new Problems();
  readonly #executions = new Map<string, Conduct>();
  /** The policy that whoever verifies says was in force. */
  readonly #expected: { policy: ExecutionPolicy | undefined; policyDigest: string } | undefined;
  /** The policy of the last opening record. */
  #policy: ExecutionPolicy | undefined;
  #policyDigest: string | undefined;
  #fromTheMiddle = false;

  /** @throws EocError `invalid_policy` */
  constructor(expected: ExecutionPolicyInput | undefined) {
    if (expected === undefined) return;
    const { policy, policyDigest } = recordPolicy(expected);
    this.#expected = { policy: readPolicy(policy), policyDigest };
    this.#policy = this.#expected.policy;
  }

  add(line: number, { seq, event }: JournalRecord): void {
    const charges: Charges = {
      broken: (code, message) => this.#problems.add({ line, seq, code, message }),
      unproven: (code, message) => this.#unproven.add({ line, seq, code, message }),
    };
    switch (event.type) {
      case "journal.opened":
      case "journal.resumed":
      case "journal.continued":
        this.#fromTheMiddle ||= line === 1 && event.type === "journal.continued";
        this.#policy = this.#policyOf(event, charges.broken);
        this.#policyDigest = event.policyDigest;
        return;
      case "journal.bounds":
        return this.#bind(event, charges);
      case "journal.settled":
        return;
      case "execution.started":
        this.#executions.set(event.executionId, new Conduct(event, this.#policy));
        return;
      case "execution.finished":
        this.#executions.get(event.executionId)?.apply(event, charges);
        this.#executions.delete(event.executionId);
        return;
      default:
        this.#apply(event, charges);
    }
  }

  finish(): ConformanceFinding {
    const verdict = this.#problems.count > 0 ? "FAIL" : this.#unproven.count > 0 ? "NOT PROVEN" : "PASS";
    return { ...this.#problems.finding(verdict), unproven: this.#unproven.list };
  }

  #apply(event: ExecutionEvent, charges: Charges): void {
    const execution = this.#executions.get(event.executionId);
    if (execution !== undefined) execution.apply(event, charges);
    else if ((event.type === "attempt.intended" || event.type === "attempt.started") && !this.#fromTheMiddle) {
      charges.broken("after_end", `${event.type} of an execution that is not open`);
    }
  }

  #bind({ executionId, planHash, effects, ...recorded }: JournalBounds, charges: Charges): void {
    const { broken } = charges;
    const execution = this.#executions.get(executionId);
    if (execution === undefined) {
      if (!this.#fromTheMiddle) broken("bounds_mismatch", "these bounds belong to no execution that is open");
      return;
    }
    execution.bind(planHash, this.#policyOf(recorded, broken), readEffects(effects), charges);
  }

  /** The policy that a record names, or the one that it should have named. */
  #policyOf(
    recorded: Partial<Pick<JournalOpening, "policy" | "policyDigest">>,
    broken: Charge,
  ): ExecutionPolicy | undefined {
    const { policy, policyDigest } = recorded;
    if (policy !== undefined && !fitsDigest(recorded)) {
      broken("policy_mismatch", "the policy on record does not have its digest");
    }
    if (this.#expected === undefined) {
      const isInForce = policy === undefined && policyDigest !== undefined && policyDigest === this.#policyDigest;
      return isInForce ? this.#policy : readPolicy(policy);
    }
    if (policyDigest !== undefined && policyDigest !== this.#expected.policyDigest) {
      broken("policy_mismatch", "the policy on record is not the one that was given to verify it by");
    }
    return this.#expected.policy;
  }
}

const EFFECTS: ReadonlySet<unknown> = new Set(["once", "idempotent", "none"]);

function readEffects(effects: unknown): Effect[] {
  return Array.isArray(effects) ? effects.map((effect) => (EFFECTS.has(effect) ? effect : "once") as Effect) : [];
}
