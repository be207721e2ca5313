import type { ExecutionEvent, ExecutionPlan, PlannedAction } from "@eoc/core";

type EventOf<Type extends ExecutionEvent["type"]> = Extract<ExecutionEvent, { type: Type }>;

/** Everything that events say of one attempt. */
export interface AttemptStory {
  readonly actionIndex: number;
  readonly number: number;
  readonly intended: EventOf<"attempt.intended">[];
  readonly withdrawn: EventOf<"attempt.withdrawn">[];
  started?: EventOf<"attempt.started">;
  finished?: EventOf<"attempt.finished">;
  settledLate?: EventOf<"attempt.settled_late">;
  reconciled?: EventOf<"reconcile.finished">;
}

/** Everything that events say of one action of the plan. */
export interface ActionStory {
  readonly planned: PlannedAction;
  started?: EventOf<"action.started">;
  finished?: EventOf<"action.finished">;
  claimed?: EventOf<"key.claimed">;
  readonly keyWrites: EventOf<"key.completed" | "key.released" | "key.unknown">[];
  /** Those that were started, by number. */
  readonly attempts: AttemptStory[];
}

/** The events of one execution, by what they are about. */
export interface Story {
  readonly events: readonly ExecutionEvent[];
  started?: EventOf<"execution.started">;
  finished?: EventOf<"execution.finished">;
  halt?: EventOf<"halt.observed">;
  readonly actions: readonly ActionStory[];
  /** All attempts that were started, in the order of their starts. */
  readonly starts: readonly (AttemptStory & { started: EventOf<"attempt.started"> })[];
}

/** Sorts well-formed events. The first of its kind counts; what is told twice is found by whoever checks the record. */
export function readStory(plan: ExecutionPlan, events: readonly ExecutionEvent[]): Story {
  const actions = plan.actions.map((planned): ActionStory => ({ planned, keyWrites: [], attempts: [] }));
  const attempts = new Map<string, AttemptStory>();
  const starts: (AttemptStory & { started: EventOf<"attempt.started"> })[] = [];
  const story: Story = { events, actions, starts };
  const attemptOf = ({ actionIndex, attemptNumber }: { actionIndex: number; attemptNumber: number }): AttemptStory => {
    const key = `${actionIndex}/${attemptNumber}`;
    let attempt = attempts.get(key);
    if (attempt === undefined) {
      attempt = { actionIndex, number: attemptNumber, intended: [], withdrawn: [] };
      attempts.set(key, attempt);
    }
    return attempt;
  };
  for (const event of events) {
    const action = "actionIndex" in event ? actions[event.actionIndex] : undefined;
    switch (event.type) {
      case "execution.started":
        story.started ??= event;
        break;
      case "execution.finished":
        story.finished ??= event;
        break;
      case "halt.observed":
        story.halt ??= event;
        break;
      case "action.started":
        if (action !== undefined) action.started ??= event;
        break;
      case "action.finished":
        if (action !== undefined) action.finished ??= event;
        break;
      case "key.claimed":
        if (action !== undefined) action.claimed ??= event;
        break;
      case "key.completed":
      case "key.released":
      case "key.unknown":
        action?.keyWrites.push(event);
        break;
      case "attempt.intended":
        attemptOf(event).intended.push(event);
        break;
      case "attempt.withdrawn":
        attemptOf(event).withdrawn.push(event);
        break;
      case "attempt.started": {
        const attempt = attemptOf(event);
        if (attempt.started !== undefined) break;
        starts.push(Object.assign(attempt, { started: event }));
        action?.attempts.push(attempt);
        break;
      }
      case "attempt.finished":
        attemptOf(event).finished ??= event;
        break;
      case "attempt.settled_late":
        attemptOf(event).settledLate ??= event;
        break;
      case "reconcile.finished": {
        const attempt = attemptOf(event);
        // A key in doubt is asked about before its first attempt.
        if (attempt.finished !== undefined) attempt.reconciled ??= event;
        break;
      }
      default:
    }
  }
  return story;
}

/** Number of the event from which the executor's call is known to be over; infinite while that is not known. */
export function settledSeq({ finished, settledLate }: AttemptStory): number {
  if (settledLate !== undefined) return settledLate.seq;
  return finished === undefined || isGivenUp(finished) ? Number.POSITIVE_INFINITY : finished.seq;
}

/** True of an attempt that was ended without the executor: what an executor says or throws in time leaves a trace. */
function isGivenUp({ status, errorCode, errorType, late }: EventOf<"attempt.finished">): boolean {
  const isUnanswered = errorCode === "timeout" || errorCode === "aborted";
  return status === "unknown" && isUnanswered && errorType === undefined && late !== true;
}
