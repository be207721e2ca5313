/** One thing that is wrong with a journal, at the record where it shows. */
export interface JournalProblem {
  /** Which line it is, from 1; which checkpoint, for signatures. One more than there are when something is missing at the end. */
  line: number;
  /** The number that the record gives itself; absent where there is none to read. */
  seq?: number;
  code: JournalProblemCode;
  /** The same for people. */
  message: string;
}

/** What is wrong with a journal, at one place. */
export type JournalProblemCode =
  // Integrity.
  | "not_json"
  | "not_a_record"
  | "unknown_version"
  | "not_canonical"
  | "hash_mismatch"
  // Continuity.
  | "no_opening"
  | "missing_records"
  | "out_of_place"
  | "wrong_prev"
  | "unreadable"
  // Pairing.
  | "end_without_start"
  | "started_twice"
  | "left_open"
  | "event_missing"
  | "malformed_event"
  | "settlement_mismatch"
  // Signatures.
  | "unsigned"
  | "unknown_key"
  | "bad_signature"
  // Conformance.
  | "not_in_plan"
  | "hold_dispatched"
  | "too_many_dispatches"
  | "overlap"
  | "concurrency_exceeded"
  | "rate_exceeded"
  | "after_halt"
  | "after_failure"
  | "after_deadline"
  | "after_end"
  | "limit_exceeded"
  | "no_intent"
  | "time_went_back"
  | "unclaimed"
  | "repeated_after_success"
  | "repeated_after_unknown"
  | "repeated_after_late"
  | "row_mismatch"
  | "end_mismatch"
  | "action_mismatch"
  | "bounds_mismatch"
  | "policy_mismatch"
  // Conformance, where the bounds are not known.
  | "no_policy"
  | "effect_unknown"
  // Completeness.
  | "truncated"
  | "beyond_head"
  | "wrong_head"
  | "broken_chain";

/** What one check says, with the first hundred problems that it found. */
export interface Finding<V extends string = "PASS" | "FAIL"> {
  verdict: V;
  problems: readonly JournalProblem[];
  /** How many there are in all. */
  problemCount: number;
}

/** Enough to see what happened; a journal of a million bad lines must not fill the memory. */
const MAX_PROBLEMS = 100;

/** Collects a check's problems. */
export class Problems {
  readonly list: JournalProblem[] = [];
  count = 0;

  add(problem: JournalProblem): void {
    this.count++;
    if (this.list.length < MAX_PROBLEMS) this.list.push(problem);
  }

  finding<V extends string>(verdict: V): Finding<V> {
    return { verdict, problems: this.list, problemCount: this.count };
  }
}
