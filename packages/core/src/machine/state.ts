import type { Issue } from "@eoc/decision-schema";
import type { ExecutionPlan } from "../plan.js";
import type { ExecutionPolicy } from "../policy/execution-policy.js";
import type { HaltCause, WaitCause } from "../report/events.js";
import type { ActionReport, OutcomeBasis } from "../report/execution-report.js";
import type { TerminalReason } from "../report/terminal-reason.js";
import type { AbortCause, Command, KeyOutcome } from "./commands.js";

/** What a driver knows before the first step. Everything here is plain JSON. */
export interface Facts {
  readonly executionId: string;
  readonly seed: string;
  /** Wall clock at the start: the zero of every input's `at`. */
  readonly startedAtMs: number;
  /** Ends everything before it starts: the context's kill switch, a missing port, refused input … */
  readonly verdict?: Verdict | undefined;
  readonly throttleMs?: number | undefined;
  readonly cooldownMs?: number | undefined;
  readonly approval?: { readonly matches: boolean; readonly expiresAtMs?: number } | undefined;
  /** Events are wanted: there is a journal or a listener. */
  readonly observed?: boolean;
  readonly hasKillSwitch?: boolean;
  readonly hasBulkhead?: boolean;
  readonly hasGates?: boolean;
  readonly hasRetryBudget?: boolean;
  readonly canReconcile?: boolean;
}

/** What ends an execution before it starts. */
export interface Verdict {
  readonly status: "denied" | "skipped";
  readonly reason: TerminalReason;
  readonly issues?: readonly Issue[];
}

/** Where an action stands. The comment says what it waits for. */
export type Phase =
  | "pending" // to be started, in plan order
  | "key" // key_derived
  | "throttle" // timer
  | "slot" // a slot of this execution
  | "bulkhead" // bulkhead
  | "queued" // bulkhead, once more
  | "claim" // claim
  | "claim_wait" // timer
  | "gates" // gates
  | "gate_wait" // timer
  | "permit" // permit
  | "permit_wait" // timer
  | "permit_line" // permit_turn, or the deadline
  | "intent" // intent
  | "key_start" // key_started
  | "switch" // switch
  | "in_flight" // settled, or the limit
  | "grace" // settled, or the end of the grace
  | "settlement" // settled, or the deadline
  | "reconcile" // reconciled
  | "retry_budget" // retry_budget
  | "backoff" // timer
  | "recording" // recorded
  | "done";

/** What the machine knows of one dispatch. Times are milliseconds on the monotonic scale of its inputs. */
export interface AttemptState {
  startedAt: number;
  latencyMs: number;
  status: "running" | "success" | "failed" | "unknown";
  /** What the status rests on. */
  basis: OutcomeBasis;
  abortedFor?: AbortCause;
  errorCode?: string | undefined;
  errorType?: string;
  /** Of an unknown outcome: how long a retry waits at the least, by the executor's word. */
  retryAfterMs?: number;
  late?: boolean;
  /** The executor answered with something that is no answer: no other attempt may follow (S3.1). */
  invalid?: boolean;
}

/** What is so, or is not there at all: an execution that needs it not has no room for it. */
type Flag = true | undefined;

/** One action's part of the state. */
export interface ActionState {
  readonly index: number;
  phase: Phase;
  attempts: AttemptState[];
  /** Monotonic time at which it was begun, and since which it waits. */
  startedAt: number;
  waitingSince?: number;
  waitedMs: number;
  waitCause?: WaitCause | undefined;
  timerAt: number | undefined;
  key?: string;
  /** The claim is held. */
  claimed?: Flag;
  /** Until when the claim is known to be held. */
  heldUntil?: number | undefined;
  /** Its lease has run out, and somebody else may have the key: no outcome of this action need be taken of it. */
  claimLost?: Flag;
  valueOmitted?: Flag;
  hasSlot: boolean;
  inBulkhead?: Flag;
  hasPermit?: Flag;
  /** It has a place in the line for permits. */
  inLine?: Flag;
  intended?: Flag;
  /** A completed record of this key was found: nothing is to be dispatched. */
  replay?: Flag;
  /**
   * The key was found in doubt and is taken over (S7.2): reconcile has to be asked, or has proved that nothing was applied, or
   * there is no proof, since the effect class or the policy allows another dispatch without one.
   */
  inDoubt?: "unasked" | "not_applied" | "unproven" | undefined;
  /** What was last written, or is being written, of the key. */
  keyOutcome?: KeyOutcome;
  /** It is being written. */
  writing?: Flag;
  /** What a late settlement makes of the key, once the write under way has been answered. */
  correction?: KeyOutcome | undefined;
  /** Reconcile was asked while the executor still ran: its "not applied" proves nothing. */
  askedWhileRunning?: Flag;
  /** Waits so far in a row for the same claim. */
  polls?: number;
  /** How long the retry that is being prepared waits. */
  retryWaitMs?: number;
  /** An attempt's outcome stayed unknown. */
  unknown?: Flag;
  /** An exception, a timeout or an invalid result occurred (S10, `failClosed`). */
  abnormal?: Flag;
  /** The last attempt has ended for the report but its executor has not settled (S4.3). */
  unsettled?: Flag;
  row: ActionReport | undefined;
}

/** The whole state of one execution: plain data. Made by `startMachine`, changed by `step` alone. */
export interface Machine {
  readonly plan: ExecutionPlan;
  readonly policy: ExecutionPolicy;
  readonly facts: Facts;
  status: "new" | "running" | "finished";
  /** Time of the last input, and the wall clock where it said so. */
  at: number;
  wallMs?: number | undefined;
  seq: number;
  actions: ActionState[];
  /** The next action of the plan to begin. */
  next: number;
  /** Actions begun and without a row. */
  open: number;
  rows: number;
  slotsUsed: number;
  /** Actions that wait for a slot again, longest first, from `slotQueueHead`. */
  slotQueue: number[];
  slotQueueHead: number;
  throttled?: Flag;
  recording: number;
  /** Nobody is sent on his way before `resume`. */
  yielded: boolean;
  executionTimerAt?: number | undefined;
  halt?: { cause: HaltCause; at: number };
  failStopped?: Flag;
  broken?: Flag;
  /** Something stopped the execution in this step: live actions have to hear of it. */
  stopping?: Flag;
  lastRowAt: number;
  finishedAt: number;
  listenerFailed?: Flag;
  /** Commands of the step that is being taken. */
  out: Command[];
}

/** The state before the first input. The machine answers to `{ type: "start", at: 0 }`. */
export function startMachine(plan: ExecutionPlan, policy: ExecutionPolicy, facts: Facts): Machine {
  return {
    plan,
    policy,
    facts,
    status: "new",
    at: 0,
    seq: 0,
    actions: plan.actions.map(newAction),
    next: 0,
    open: 0,
    rows: 0,
    slotsUsed: 0,
    slotQueue: NOBODY,
    slotQueueHead: 0,
    recording: 0,
    yielded: false,
    lastRowAt: 0,
    finishedAt: 0,
    out: NO_COMMANDS,
  };
}

/** Between two steps. */
export const NO_COMMANDS: Command[] = [];

/** A queue in which nobody stands; whoever joins makes it his own. */
export const NOBODY: number[] = [];

const NO_ATTEMPTS: AttemptState[] = [];

function newAction(_: unknown, index: number): ActionState {
  return {
    index,
    phase: "pending",
    attempts: NO_ATTEMPTS,
    startedAt: 0,
    waitedMs: 0,
    timerAt: undefined,
    hasSlot: false,
    row: undefined,
  };
}

/** The moment from which nothing is dispatched any more. */
export function deadlineOf(machine: Machine): number {
  return machine.policy.timeout.maxTotalTimeMs;
}
