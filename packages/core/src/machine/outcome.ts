import { isNotAppliedError, isUnknownOutcomeError } from "../errors.js";

/** What an executor's answer says, reduced to what may be recorded (S3.1, S9.1). */
export type Settlement =
  | { kind: "applied" }
  | { kind: "not_applied"; code: string; retryable: boolean; retryAfterMs: number; errorType?: string }
  | { kind: "threw"; errorType: string; code?: string; retryAfterMs?: number }
  | { kind: "invalid" };

const APPLIED: Settlement = Object.freeze({ kind: "applied" });
const INVALID: Settlement = Object.freeze({ kind: "invalid" });
const CODE = /^[a-z0-9_.:-]{1,64}$/;
/** Codes of unknown outcomes that are the machine's to give. */
const OWN_CODES: ReadonlySet<string> = new Set(["execution_exception", "timeout", "aborted", "invalid_result"]);
const CLASS_NAME = /^[A-Za-z_$][A-Za-z0-9_$]{0,63}$/;

/** Judges what an executor resolved to. Anything but the two documented shapes is `invalid`. Never throws. */
export function judgeResult(result: unknown): Settlement {
  try {
    if (typeof result !== "object" || result === null) return INVALID;
    const { ok } = result as Record<string, unknown>;
    if (ok === true) return APPLIED;
    const { code, retryable, retryAfterMs } = result as Record<string, unknown>;
    if (ok !== false || typeof code !== "string") return INVALID;
    return notApplied(code, retryable, retryAfterMs);
  } catch {
    return INVALID; // A hostile getter.
  }
}

/** Judges what an executor threw. Only a `NotAppliedError` says that nothing was applied. Never throws. */
export function judgeThrown(error: unknown): Settlement {
  try {
    if (isNotAppliedError(error)) {
      return { ...notApplied(error.code, error.retryable, error.retryAfterMs), errorType: errorTypeOf(error) };
    }
    if (isUnknownOutcomeError(error)) {
      const code = safeCode(error.code);
      const retryAfterMs = waitOf(error.retryAfterMs);
      return {
        kind: "threw",
        errorType: errorTypeOf(error),
        ...(OWN_CODES.has(code) ? undefined : { code }),
        ...(retryAfterMs > 0 ? { retryAfterMs } : undefined),
      };
    }
  } catch {
    // A hostile getter: all that is known is that it threw.
  }
  return { kind: "threw", errorType: errorTypeOf(error) };
}

function notApplied(code: unknown, retryable: unknown, retryAfterMs: unknown): Settlement & { kind: "not_applied" } {
  return {
    kind: "not_applied",
    code: safeCode(code),
    retryable: retryable !== false,
    retryAfterMs: waitOf(retryAfterMs),
  };
}

/** A wait was asked for that is no time, such as a date or NaN: nobody knows when it is over. JSON has no infinity. */
function waitOf(retryAfterMs: unknown): number {
  if (retryAfterMs === undefined || retryAfterMs === null) return 0;
  const waitMs = typeof retryAfterMs === "number" ? retryAfterMs : Number.NaN;
  if (Number.isNaN(waitMs)) return Number.MAX_SAFE_INTEGER;
  return Math.min(Math.max(0, waitMs), Number.MAX_SAFE_INTEGER);
}

/** `code` when it is a code, else `invalid_code` (S9.1). */
export function safeCode(code: unknown): string {
  return typeof code === "string" && CODE.test(code) ? code : "invalid_code";
}

/** The class name of anything thrown, or its type where there is none that may be recorded (S9.1). Never throws. */
export function errorTypeOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return typeof error;
  try {
    // Not its own `constructor`: an answer that was parsed and thrown would put there whatever it says.
    const { constructor: from } = Object.getPrototypeOf(error);
    const name: unknown = typeof from === "function" && from.name;
    if (typeof name === "string" && CLASS_NAME.test(name)) return name;
  } catch {
    // A hostile getter or a null prototype.
  }
  return "Error";
}
