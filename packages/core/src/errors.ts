import type { Issue } from "@eoc/decision-schema/read";

/** Every code that an {@link EocError} can carry: a closed list. `docs/codes.md` is made of it. */
export const EOC_ERROR_CODES = [
  /** `definePolicy` was given a policy that is wrong; `issues` say where. */
  "invalid_policy",
  /** `planExecution` was given a decision that is wrong; `issues` say where. */
  "invalid_decision",
  /** A function was given an option that is wrong. */
  "invalid_option",
  /** Reason of an attempt's signal: it took longer than its limit (S4.2). */
  "attempt_timeout",
  /** Reason of an attempt's signal: the execution's time is up. */
  "deadline",
  /** Reason of an attempt's signal: a kill switch halted the execution. */
  "halt",
  /** Reason of an attempt's signal: the caller cancelled. */
  "cancelled",
] as const;

/** One of the codes that an {@link EocError} carries: `docs/codes.md` says what each means. */
export type EocErrorCode = (typeof EOC_ERROR_CODES)[number];

const EOC = Symbol.for("@eoc/core/EocError");
const NOT_APPLIED = Symbol.for("@eoc/core/NotAppliedError");
const UNKNOWN_OUTCOME = Symbol.for("@eoc/core/UnknownOutcomeError");

/** The one error class of EOC. Tell it apart with {@link isEocError}, which also works across copies of the package. */
export class EocError extends Error {
  readonly code: EocErrorCode;
  readonly issues?: readonly Issue[];

  constructor(code: EocErrorCode, message: string, details: { issues?: readonly Issue[]; cause?: unknown } = {}) {
    super(message, details);
    this.name = "EocError";
    this.code = code;
    if (details.issues !== undefined) this.issues = details.issues;
    Object.defineProperty(this, EOC, { value: true });
  }
}

/** Thrown by an executor that knows that its effect was **not** applied: the same as returning `ok: false` (S3.1). */
export class NotAppliedError extends Error {
  /** Becomes the attempt's `errorCode`. */
  readonly code: string;
  readonly retryable: boolean;
  readonly retryAfterMs?: number;

  constructor(code: string, options: { retryable?: boolean; retryAfterMs?: number; cause?: unknown } = {}) {
    super(`not applied: ${code}`, options);
    this.name = "NotAppliedError";
    this.code = code;
    this.retryable = options.retryable !== false;
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs;
    Object.defineProperty(this, NOT_APPLIED, { value: true });
  }
}

/** Thrown by an executor that cannot know whether its effect was applied: like anything else that it throws (S3.1), but with a code. */
export class UnknownOutcomeError extends Error {
  /** Becomes the attempt's `errorCode`, in place of `execution_exception` (S9.1). */
  readonly code: string;
  /** How long a retry waits at the least, where the action's effect allows one (S3.5). */
  readonly retryAfterMs?: number;

  constructor(code: string, options: { retryAfterMs?: number; cause?: unknown } = {}) {
    super(`outcome unknown: ${code}`, options);
    this.name = "UnknownOutcomeError";
    this.code = code;
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs;
    Object.defineProperty(this, UNKNOWN_OUTCOME, { value: true });
  }
}

/** Whether a value is an {@link EocError}, also one of another copy of this package. Never throws. */
export function isEocError(error: unknown): error is EocError {
  return isBranded(error, EOC);
}

/** Whether a value is a {@link NotAppliedError}, also one of another copy of this package. Never throws. */
export function isNotAppliedError(error: unknown): error is NotAppliedError {
  return isBranded(error, NOT_APPLIED);
}

/** Whether a value is an {@link UnknownOutcomeError}, also one of another copy of this package. Never throws. */
export function isUnknownOutcomeError(error: unknown): error is UnknownOutcomeError {
  return isBranded(error, UNKNOWN_OUTCOME);
}

function isBranded(error: unknown, brand: symbol): boolean {
  try {
    return typeof error === "object" && error !== null && (error as Record<symbol, unknown>)[brand] === true;
  } catch {
    return false; // A hostile proxy.
  }
}
