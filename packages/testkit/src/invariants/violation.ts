/**
 * The invariants of execution: 1 the record is complete and repeatable, 2 everything is bounded, 3 what is not known is
 * not claimed (fail closed), 4 a halt stops, 5 no secret gets out, 6 rate limits hold.
 */
export type InvariantId = "INV-EXE-1" | "INV-EXE-2" | "INV-EXE-3" | "INV-EXE-4" | "INV-EXE-5" | "INV-EXE-6";

/** One promise that an execution did not keep. */
export interface Violation {
  readonly invariant: InvariantId;
  /** Of the contract of `execute`, such as `S4.3`. */
  readonly clause: string;
  readonly message: string;
  /** Number of the event at which it shows. */
  readonly seq?: number;
  readonly actionIndex?: number;
}

/** Where a violation shows: anything that names an event or an action. */
interface Place {
  readonly seq?: number | undefined;
  readonly actionIndex?: number | undefined;
}

/** Notes a violation. */
export type Find = (clause: string, message: string, place?: Place) => void;

/** Notes the violations of one invariant in a list. */
export function finder(violations: Violation[], invariant: InvariantId): Find {
  return (clause, message, { seq, actionIndex } = {}) => {
    violations.push({
      invariant,
      clause,
      message,
      ...(seq === undefined ? undefined : { seq }),
      ...(actionIndex === undefined ? undefined : { actionIndex }),
    });
  };
}

/** One line for each violation. */
export function describeViolations(violations: readonly Violation[]): string {
  return violations
    .map(({ invariant, clause, message, seq, actionIndex }) => {
      const places = [
        actionIndex === undefined ? undefined : `action ${actionIndex}`,
        seq === undefined ? undefined : `event ${seq}`,
      ].filter((place) => place !== undefined);
      return `${invariant} ${clause}: ${message}${places.length === 0 ? "" : ` (${places.join(", ")})`}`;
    })
    .join("\n");
}
