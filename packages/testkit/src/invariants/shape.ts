import { type ExecutionEvent, TERMINAL_REASONS } from "@eoc/core";

/** Says what a value must be; undefined when it is that. */
type Check = ((value: unknown) => string | undefined) & { optional?: boolean };

/** The fields that an object may have, and what each must be. */
export type Shape = Readonly<Record<string, Check>>;

const must =
  (expected: string, accepts: (value: unknown) => boolean): Check =>
  (value) =>
    accepts(value) ? undefined : expected;

const matching = (expected: string, pattern: RegExp) =>
  must(expected, (value) => typeof value === "string" && pattern.test(value));

const oneOf = (...allowed: readonly string[]) =>
  must(`one of ${allowed.join(", ")}`, (value) => typeof value === "string" && allowed.includes(value));

const maybe = (check: Check): Check => Object.assign((value: unknown) => check(value), { optional: true });

const count = must("an integer from 0", (value) => Number.isSafeInteger(value) && (value as number) >= 0);
const finite = must("a finite number", (value) => typeof value === "number" && Number.isFinite(value));
const text = must("a string", (value) => typeof value === "string");
const flag = must("a boolean", (value) => typeof value === "boolean");
const code = matching("a code of 1 to 64 of a-z 0-9 _ . : -", /^[a-z0-9_.:-]{1,64}$/);
const className = matching("a class name", /^[A-Za-z_$][A-Za-z0-9_$]{0,63}$/);
const hash = matching("64 hexadecimal digits", /^[0-9a-f]{64}$/);
const reason = must(
  "a terminal reason",
  (value) => typeof value === "string" && Object.hasOwn(TERMINAL_REASONS, value),
);
const action = oneOf("HOLD", "ACT", "EXIT", "CANCEL", "STOP");
const actionStatus = oneOf("success", "failed", "denied", "skipped", "unknown");
const executionStatus = oneOf("success", "failed", "denied", "skipped", "unknown", "partial");
const attemptStatus = oneOf("success", "failed", "unknown");
const basis = oneOf("result", "reconcile", "replay", "exception", "timeout", "abort", "none");
const cause = oneOf("throttle", "slot", "bulkhead", "claim", "gate", "rate_limit", "backoff", "settlement");
const issues = must("a list of issues", (value) => Array.isArray(value) && value.every((issue) => isIssue(issue)));

function isIssue(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const known = ["path", "expected", "received"];
  return Object.entries(value).every(([key, part]) => known.includes(key) && typeof part === "string");
}

const BASE: Shape = { seq: count, type: text, atMs: finite, executionId: text };
const ACTION: Shape = { ...BASE, actionIndex: count };
const ATTEMPT: Shape = { ...ACTION, attemptNumber: count };
const ERROR: Shape = { errorCode: maybe(code), errorType: maybe(className) };
const KEY: Shape = { ...ACTION, idempotencyKey: text };

const ROW: Shape = {
  id: text,
  action,
  status: actionStatus,
  reason,
  basis,
  ...ERROR,
  retryAfterMs: maybe(finite),
  attemptCount: count,
  latencyMs: count,
  waitedMs: count,
  replayed: flag,
  idempotencyKey: maybe(text),
  valueOmitted: maybe(flag),
  recordError: maybe(reason),
};

const OUTCOME: Shape = {
  action,
  status: attemptStatus,
  startedAtMs: finite,
  latencyMs: count,
  ...ERROR,
  idempotencyKey: maybe(text),
  late: maybe(flag),
};

const SUMMARY: Shape = {
  status: executionStatus,
  reason: maybe(reason),
  totalLatencyMs: count,
  failClosed: flag,
  planHash: hash,
  haltLatencyMs: maybe(count),
  cooldownUntilMs: maybe(finite),
  issues: maybe(issues),
};

/** The shapes of all events. Source: S8.1, S9.1. */
export const EVENT_SHAPES: Readonly<Record<ExecutionEvent["type"], Shape>> = {
  "execution.started": { ...BASE, planHash: hash, actionCount: count },
  "execution.finished": { ...BASE, ...SUMMARY, deniedCount: maybe(count) },
  "action.started": { ...ACTION, id: text, action, idempotencyKey: maybe(text) },
  "action.finished": { ...ACTION, ...ROW },
  "wait.started": { ...ATTEMPT, cause, untilMs: maybe(finite) },
  "wait.finished": { ...ATTEMPT, cause, waitedMs: count },
  "attempt.intended": { ...ATTEMPT, action, idempotencyKey: maybe(text) },
  "attempt.withdrawn": { ...ATTEMPT, reason },
  "attempt.started": { ...ATTEMPT, limitMs: count },
  "attempt.finished": { ...ATTEMPT, ...OUTCOME },
  "attempt.settled_late": { ...ATTEMPT, status: attemptStatus, ...ERROR },
  "reconcile.started": ATTEMPT,
  "reconcile.finished": {
    ...ATTEMPT,
    verdict: oneOf("applied", "not_applied", "unknown"),
    whileRunning: maybe(flag),
    errorType: maybe(className),
  },
  "key.claimed": KEY,
  "key.completed": { ...KEY, recorded: flag },
  "key.released": { ...KEY, recorded: flag },
  "key.unknown": { ...KEY, recorded: flag },
  "halt.observed": { ...BASE, cause: oneOf("kill_switch", "cancelled") },
  "listener.failed": { ...BASE, errorType: className },
};

/** The shape of a row of the report. */
export const ROW_SHAPE: Shape = { index: count, ...ROW };

/** The shape of an attempt in the report. */
export const ATTEMPT_SHAPE: Shape = { actionIndex: count, attemptNumber: count, ...OUTCOME };

const list = must("a list", Array.isArray);

/** The shape of the report. */
export const REPORT_SHAPE: Shape = {
  executionId: text,
  ...SUMMARY,
  actions: list,
  attempts: list,
  startedAtMs: finite,
  successCount: count,
  failedCount: count,
  attemptCount: count,
  skippedCount: count,
  deniedCount: count,
  unknownCount: count,
  replayedCount: count,
  recordError: maybe(reason),
};

/** Fields without which an object is incomplete. Worked out once for each shape: events are many. */
const required = new WeakMap<Shape, readonly string[]>();

function requiredOf(shape: Shape): readonly string[] {
  let names = required.get(shape);
  if (names === undefined) {
    names = Object.keys(shape).filter((name) => !shape[name]!.optional);
    required.set(shape, names);
  }
  return names;
}

/** What is wrong with the enumerable fields of `value`. Names fields, never their values. */
export function misfits(value: unknown, shape: Shape): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return ["must be an object"];
  const wrong: string[] = [];
  for (const name of Object.keys(value)) {
    const part = (value as Record<string, unknown>)[name];
    const check = Object.hasOwn(shape, name) ? shape[name] : undefined;
    if (check === undefined) wrong.push(`has the unexpected field ${JSON.stringify(name.slice(0, 64))}`);
    else if (part !== undefined || !check.optional) {
      const expected = check(part);
      if (expected !== undefined) wrong.push(`has a \`${name}\` that is not ${expected}`);
    }
  }
  for (const name of requiredOf(shape)) if (!Object.hasOwn(value, name)) wrong.push(`has no \`${name}\``);
  return wrong;
}
