import type { OpenIntent } from "./open-intent.js";

export interface Place {
  line: number;
  seq: number;
}

/** What is open of an execution. */
export interface Execution {
  id: string;
  start: Place;
  /** Openings of the journal before it began: a restart leaves it open for good. */
  run: number;
  /** It began in a file that was not given: what must have come before is not asked for. */
  isPartial: boolean;
  nextNumber: number;
  /** How many actions it said it has; each has one row (S5.3). */
  actionCount: number;
  rows: number;
  intents: Map<string, OpenIntent>;
  /** Those of them of which somebody has said what they came to. They may end all the same. */
  settled: Set<string>;
  /** Attempts whose outcome is unknown, by action, until something settles it. */
  doubts: Map<number, OpenIntent[]>;
  /** What else has begun and not ended. */
  open: Set<string>;
  /** Actions that have begun, ever, with their ids. */
  begun: Map<number, string>;
  /** The keys that its actions have claimed. */
  claimed: Map<number, string>;
  /** Actions that it has dispatched, or meant to. */
  intended: Set<number>;
}

/** The fields of events, each there where its type has it: `eventFault` has seen to that. */
export interface AnyEvent {
  readonly type: string;
  readonly seq: number;
  readonly atMs: number;
  readonly executionId: string;
  readonly actionCount: number;
  readonly actionIndex: number;
  readonly attemptNumber: number;
  readonly id: string;
  readonly action: string;
  readonly idempotencyKey?: string;
  /** Of an attempt, or a row. */
  readonly status: string;
  /** Of a reconciliation. */
  readonly verdict: string;
  /** Of a settlement: the record of the intent. */
  readonly intentSeq: number;
  readonly outcome: string;
  readonly whileRunning?: boolean;
}

/** Its dispatches that may or may not have been applied. */
export function inDoubtOf({ intents, settled, doubts }: Execution): OpenIntent[] {
  const inFlight = [...intents].flatMap(([attempt, intent]) => (settled.has(attempt) ? [] : [intent]));
  return [...inFlight, ...[...doubts.values()].flat()];
}

export function intentOf(place: Place, { id, begun }: Execution, event: AnyEvent, dispatched: boolean): OpenIntent {
  const { actionIndex, attemptNumber, action = "", atMs, idempotencyKey } = event;
  return {
    executionId: id,
    actionIndex,
    actionId: begun.get(actionIndex) ?? `action-${actionIndex}`,
    action,
    attemptNumber,
    intendedAtMs: atMs,
    ...(idempotencyKey === undefined ? undefined : { idempotencyKey }),
    dispatched,
    ...place,
  };
}

/**
 * Whether a reconciliation that has ended leaves nothing in doubt: that nothing was applied proves nothing of an executor that was still
 * running.
 */
export function provesEffect({ verdict, whileRunning }: Pick<AnyEvent, "verdict" | "whileRunning">): boolean {
  return verdict === "applied" || (verdict === "not_applied" && !whileRunning);
}
