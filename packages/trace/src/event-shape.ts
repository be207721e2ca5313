import type { ExecutionEvent } from "@eoc/core";

/** What a field must be, in words, and whether a value is that. */
type Kind = readonly [words: string, accepts: (value: unknown) => boolean];

/** Past this, sums of milliseconds lose what they are made of. */
const MAX_MS = Number.MAX_SAFE_INTEGER;

const TEXT: Kind = ["a text", (value) => typeof value === "string"];
const FLAG: Kind = ["true or false", (value) => typeof value === "boolean"];
const COUNT: Kind = ["a whole number from 0 on", (value) => Number.isSafeInteger(value) && (value as number) >= 0];
const TIME: Kind = ["a time in ms", (value) => Number.isFinite(value) && Math.abs(value as number) <= MAX_MS];
const NUMBER: Kind = ["a number", (value) => typeof value === "number"];
const oneOf = (...words: readonly unknown[]): Kind => [`one of ${words.join(", ")}`, (value) => words.includes(value)];

const OUTCOME = oneOf("success", "failed", "unknown");
const STATUS = oneOf("success", "failed", "unknown", "denied", "skipped");
const VERDICT = oneOf("applied", "not_applied", "unknown");

/** A trailing question mark: it may be absent. */
type Fields = Readonly<Record<string, Kind>>;

const BASE: Fields = { seq: COUNT, atMs: TIME, executionId: TEXT };
const ACTION: Fields = { actionIndex: COUNT };
const ATTEMPT: Fields = { ...ACTION, attemptNumber: COUNT };
const CODES: Fields = { "errorCode?": TEXT, "errorType?": TEXT };
const KEY: Fields = { "idempotencyKey?": TEXT };
const KEY_OUTCOME: Fields = { ...ACTION, idempotencyKey: TEXT, recorded: FLAG };

/** The fields of every event on which a verdict or a picture rests. */
const SHAPES: Readonly<Record<ExecutionEvent["type"], Fields>> = {
  "execution.started": { planHash: TEXT, actionCount: COUNT },
  "execution.finished": {
    status: oneOf("success", "failed", "unknown", "denied", "skipped", "partial"),
    "reason?": TEXT,
    totalLatencyMs: TIME,
    failClosed: FLAG,
    "haltLatencyMs?": TIME,
  },
  "action.started": { ...ACTION, id: TEXT, action: TEXT, ...KEY },
  "action.finished": {
    ...ACTION,
    id: TEXT,
    action: TEXT,
    status: STATUS,
    reason: TEXT,
    attemptCount: COUNT,
    ...CODES,
    "retryAfterMs?": TIME,
    ...KEY,
  },
  "wait.started": { ...ATTEMPT, cause: TEXT, "untilMs?": NUMBER },
  "wait.finished": { ...ATTEMPT, cause: TEXT },
  "attempt.intended": { ...ATTEMPT, action: TEXT, ...KEY },
  "attempt.withdrawn": { ...ATTEMPT, reason: TEXT },
  "attempt.started": { ...ATTEMPT, limitMs: NUMBER },
  "attempt.finished": {
    ...ATTEMPT,
    status: OUTCOME,
    startedAtMs: TIME,
    latencyMs: TIME,
    "late?": FLAG,
    ...CODES,
    ...KEY,
  },
  "attempt.settled_late": { ...ATTEMPT, status: OUTCOME, ...CODES },
  "reconcile.started": ATTEMPT,
  "reconcile.finished": { ...ATTEMPT, verdict: VERDICT, "whileRunning?": FLAG },
  "key.claimed": { ...ACTION, idempotencyKey: TEXT },
  "key.completed": KEY_OUTCOME,
  "key.released": KEY_OUTCOME,
  "key.unknown": KEY_OUTCOME,
  "halt.observed": { cause: TEXT },
  "listener.failed": { errorType: TEXT },
};

export const SETTLEMENT: Fields = {
  intentSeq: COUNT,
  executionId: TEXT,
  ...ATTEMPT,
  outcome: oneOf("applied", "not_applied"),
  settledAtMs: TIME,
  "by?": TEXT,
  "note?": TEXT,
};

/**
 * What is wrong with the form of an event, in words; undefined for nothing. An event of a kind that is not known here needs only what
 * all of them have, and of a journal's own records only settlements are looked at.
 */
export function eventFault(event: Readonly<Record<string, unknown>> & { type: string }): string | undefined {
  const { type } = event;
  const isOwn = type.startsWith("journal.");
  if (isOwn && type !== "journal.settled") return undefined;
  const shape = Object.hasOwn(SHAPES, type) ? SHAPES[type as ExecutionEvent["type"]] : {};
  const fault = isOwn ? faultIn(SETTLEMENT, event) : (faultIn(BASE, event) ?? faultIn(shape, event));
  return fault && `its ${fault.name} is not ${fault.expected}`;
}

/** The first field that is not what it must be, and what that is. */
export function faultIn(
  fields: Fields,
  event: Readonly<Record<string, unknown>>,
): { name: string; expected: string } | undefined {
  for (const [field, [expected, accepts]] of Object.entries(fields)) {
    const isOptional = field.endsWith("?");
    const name = isOptional ? field.slice(0, -1) : field;
    const value = Object.hasOwn(event, name) ? event[name] : undefined;
    if (!(isOptional && value === undefined) && !accepts(value)) return { name, expected };
  }
  return undefined;
}
