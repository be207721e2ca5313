import { type ExecutionContext, type Issue, readDecision } from "@eoc/decision-schema/read";
import { EocError } from "../errors.js";
import { Given } from "../given.js";
import { isPlainObject, kindOf } from "../plain-object.js";
import type { PlannedAction } from "../plan.js";

/** What a repetition of an action does (S3.2): `once` must not be repeated, `idempotent` may be, `none` only reads. */
export type Effect = "once" | "idempotent" | "none";

/** At most `limit` dispatches start in any window of `windowMs` milliseconds (S6.1). */
export interface RateLimit {
  limit: number;
  windowMs: number;
}

/** Makes an action's idempotency key. Must be pure and give a non-empty string. */
export type KeyGenerator = (action: PlannedAction, context: Readonly<ExecutionContext>) => string;

/** How often an action is dispatched again, and after how long (S3.4, S3.5). Times are milliseconds. */
export interface RetryPolicy {
  /** Retries after the first dispatch: an action is dispatched at most `1 + maxRetries` times (S3.4). At most 10000. @defaultValue 3 */
  readonly maxRetries: number;
  /** @defaultValue 100 */
  readonly initialBackoffMs: number;
  /** @defaultValue 5000 */
  readonly maxBackoffMs: number;
  /** @defaultValue 2 */
  readonly backoffMultiplier: number;
  /** @defaultValue "none" */
  readonly jitter: "none" | "full" | "equal";
  /** The longest `retryAfterMs` that is waited for; a longer one ends the action. @defaultValue 60000 */
  readonly maxRetryAfterMs: number;
}

/** How long everything may take (S4). Times are milliseconds. */
export interface TimeoutPolicy {
  /**
   * Limit of one attempt. 0 is no time, and not no limit: only what is answered at once is in time, all else is unknown. For no
   * limit but the deadline, give it `maxTotalTimeMs`. @defaultValue 5000
   */
  readonly attemptTimeoutMs: number;
  /** Limit of the whole execution. @defaultValue 30000 */
  readonly maxTotalTimeMs: number;
  /** How long an aborted attempt may take to settle before it counts as unsettled. @defaultValue 100 */
  readonly abortGraceMs: number;
  /** Limit of every call of a port other than the executor. @defaultValue 1000 */
  readonly portTimeoutMs: number;
}

/** Whether keys are kept in a store, and what a key that is found there means (S7). Times are milliseconds. */
export interface IdempotencyPolicy {
  /** Needs an `idempotencyStore`. @defaultValue false */
  readonly enabled: boolean;
  /**
   * Makes the keys of actions that bring none. A function is asked without `enabled` too, for the executor; the default is not.
   * @defaultValue "action+context_hash"
   */
  readonly keyGenerator: "action+context_hash" | KeyGenerator;
  /** How long a completed record is kept. @defaultValue 86400000 (a day) */
  readonly ttlMs: number;
  /** How long a claim lasts without being renewed. @defaultValue 30000 */
  readonly leaseMs: number;
  /** @defaultValue "deny" */
  readonly onInProgress: "deny" | "wait";
  /** What a key in doubt means: stop, or dispatch again although it may have been applied. @defaultValue "stop" */
  readonly onUnknown: "stop" | "retry";
}

/** How many dispatches may start in a window, and what to do about one too many (S6). Without a limit there is none. */
export interface RateLimitPolicy {
  readonly global?: RateLimit;
  /** By action name, such as `ACT`. */
  readonly perAction?: Readonly<Record<string, RateLimit>>;
  /** @defaultValue "wait" */
  readonly onExceeded: "wait" | "deny";
}

/** A policy with every default filled in, validated and frozen. Made by {@link definePolicy}. */
export interface ExecutionPolicy {
  readonly retry: RetryPolicy;
  readonly timeout: TimeoutPolicy;
  readonly idempotency: IdempotencyPolicy;
  /** Needs a `rateLimiter` when it names any limit. */
  readonly rateLimit: RateLimitPolicy;
  /** Dispatches in flight at once. @defaultValue 1 */
  readonly maxConcurrency: number;
  /** After an action that did not succeed: dispatch nothing further, or go on. @defaultValue "stop" */
  readonly onFailure: "stop" | "continue";
  /** What a halt does to an attempt in flight. @defaultValue "abort" */
  readonly onHalt: "abort" | "finish";
  /** Effect class of actions that do not name theirs (S3.2). @defaultValue "once" */
  readonly defaultEffect: Effect;
}

/** What {@link definePolicy} takes: every field is optional, unknown fields are refused. */
export interface ExecutionPolicyInput {
  retry?: Partial<RetryPolicy>;
  timeout?: Partial<TimeoutPolicy>;
  idempotency?: Partial<IdempotencyPolicy>;
  rateLimit?: Partial<RateLimitPolicy>;
  maxConcurrency?: number;
  onFailure?: "stop" | "continue";
  onHalt?: "abort" | "finish";
  defaultEffect?: Effect;
}

interface Field {
  readonly fallback: unknown;
  readonly expected: string;
  readonly accepts: (value: unknown) => boolean;
}

const atLeast = (min: number, fallback?: number): Field => ({
  fallback,
  expected: `a finite number >= ${min}`,
  accepts: (value) => Number.isFinite(value) && (value as number) >= min,
});
const integer = (min: number, fallback?: number, max = Number.MAX_SAFE_INTEGER): Field => ({
  fallback,
  expected: max < Number.MAX_SAFE_INTEGER ? `an integer from ${min} to ${max}` : `an integer >= ${min}`,
  accepts: (value) => Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max,
});
const oneOf = (...allowed: readonly unknown[]): Field => ({
  fallback: allowed[0],
  expected: `one of ${allowed.map((value) => JSON.stringify(value)).join(", ")}`,
  accepts: (value) => allowed.includes(value),
});

type Fields = Readonly<Record<string, Field>>;

const RATE_LIMIT = { limit: integer(1), windowMs: atLeast(1) };

const SECTIONS = {
  retry: {
    maxRetries: integer(0, 3, 10_000),
    initialBackoffMs: atLeast(0, 100),
    maxBackoffMs: atLeast(0, 5000),
    backoffMultiplier: atLeast(0, 2),
    jitter: oneOf("none", "full", "equal"),
    maxRetryAfterMs: atLeast(0, 60_000),
  },
  timeout: {
    attemptTimeoutMs: atLeast(0, 5000),
    maxTotalTimeMs: atLeast(0, 30_000),
    abortGraceMs: atLeast(0, 100),
    portTimeoutMs: atLeast(1, 1000),
  },
  idempotency: {
    enabled: oneOf(false, true),
    keyGenerator: {
      fallback: "action+context_hash",
      expected: '"action+context_hash" or a function',
      accepts: (value: unknown) => value === "action+context_hash" || typeof value === "function",
    },
    ttlMs: atLeast(1, 86_400_000),
    leaseMs: atLeast(1, 30_000),
    onInProgress: oneOf("deny", "wait"),
    onUnknown: oneOf("stop", "retry"),
  },
} satisfies Record<string, Record<string, Field>>;

const TOP = {
  maxConcurrency: integer(1, 1),
  onFailure: oneOf("stop", "continue"),
  onHalt: oneOf("abort", "finish"),
  defaultEffect: oneOf("once", "idempotent", "none"),
} satisfies Record<string, Field>;

const RATE_LIMITING = { onExceeded: oneOf("wait", "deny") };

const KNOWN_OF_RATE_LIMIT: ReadonlySet<string> = new Set(["global", "perAction", "onExceeded"]);
const KNOWN: ReadonlySet<string> = new Set([...Object.keys(SECTIONS), "rateLimit", ...Object.keys(TOP)]);

/** What sections come to that a policy does not name: most policies name one or two. */
const DEFAULTS = {
  retry: defaultsOf(SECTIONS.retry),
  timeout: defaultsOf(SECTIONS.timeout),
  idempotency: defaultsOf(SECTIONS.idempotency),
  rateLimit: defaultsOf(RATE_LIMITING),
};

function defaultsOf(fields: Fields): object {
  return Object.freeze(readFields({}, fields, "", []));
}

/** Marks what {@link definePolicy} has returned. */
class Defined extends Given {
  readonly #isDefined = true;

  static has(value: object): boolean {
    return #isDefined in value;
  }
}

function isDefinedPolicy(value: unknown): value is ExecutionPolicy {
  return typeof value === "object" && value !== null && Defined.has(value);
}

/**
 * Validates a policy, fills the defaults in and freezes the result.
 * @throws EocError `invalid_policy` with one issue per field that is wrong or unknown.
 */
export function definePolicy(input: ExecutionPolicyInput = {}): ExecutionPolicy {
  if (isDefinedPolicy(input)) return input;
  const issues: Issue[] = [];
  const source = asObject(input, "", issues);
  const policy = {
    retry: readSection("retry", source["retry"], issues),
    timeout: readSection("timeout", source["timeout"], issues),
    idempotency: readSection("idempotency", source["idempotency"], issues),
    rateLimit: readRateLimit(source["rateLimit"], issues),
    ...readFields(source, TOP, "", issues, KNOWN),
  };
  if (issues.length > 0) throw new EocError("invalid_policy", describeIssues("policy", issues), { issues });
  new Defined(policy);
  return Object.freeze(policy) as unknown as ExecutionPolicy;
}

function readSection(name: keyof typeof SECTIONS, value: unknown, issues: Issue[]): object {
  if (value === undefined) return DEFAULTS[name];
  return Object.freeze(readFields(asObject(value, name, issues), SECTIONS[name], `${name}.`, issues));
}

/** @param known names that may be there, where they are more than those of `fields` */
function readFields(
  source: Record<string, unknown>,
  fields: Fields,
  prefix: string,
  issues: Issue[],
  known?: ReadonlySet<string>,
): Record<string, unknown> {
  for (const key of Object.keys(source)) {
    if (known === undefined ? Object.hasOwn(fields, key) : known.has(key)) continue;
    const expected = `one of ${[...(known ?? Object.keys(fields))].join(", ")}`;
    issues.push({ path: prefix + key, expected, received: "an unknown field" });
  }
  const result: Record<string, unknown> = {};
  // They are of our own: nothing is inherited.
  for (const key in fields) {
    const { accepts, expected, fallback } = fields[key]!;
    const given = source[key];
    const value = given === undefined ? fallback : given;
    if (accepts(value)) result[key] = value;
    else issues.push({ path: prefix + key, expected, received: describeValue(value) });
  }
  return result;
}

function readRateLimit(value: unknown, issues: Issue[]): object {
  if (value === undefined) return DEFAULTS.rateLimit;
  const { global, perAction, ...rest } = asObject(value, "rateLimit", issues);
  const result = readFields(rest, RATE_LIMITING, "rateLimit.", issues, KNOWN_OF_RATE_LIMIT);
  const readLimit = (limit: unknown, path: string) =>
    Object.freeze(readFields(asObject(limit, path, issues), RATE_LIMIT, `${path}.`, issues));
  if (global !== undefined) result["global"] = readLimit(global, "rateLimit.global");
  if (perAction !== undefined) {
    const limits = Object.entries(asObject(perAction, "rateLimit.perAction", issues));
    result["perAction"] = Object.freeze(
      Object.fromEntries(
        limits.map(([action, limit]) => {
          const path = `rateLimit.perAction.${action}`;
          // Of no action it would limit nothing.
          const read = readDecision({ action });
          if (!read.success) issues.push({ path, expected: read.issues[0]!.expected, received: "an unknown action" });
          return [action, readLimit(limit, path)];
        }),
      ),
    );
  }
  return Object.freeze(result);
}

function asObject(value: unknown, path: string, issues: Issue[]): Record<string, unknown> {
  if (value === undefined) return {};
  // A promise or a map has no members: what it holds would be dropped without a word.
  if (isPlainObject(value)) return value;
  issues.push({ path, expected: "a plain object", received: describeValue(value) });
  return {};
}

// Policies hold no secrets, but a mistaken argument may: only numbers and booleans are shown.
function describeValue(value: unknown): string {
  if (typeof value === "number" || typeof value === "boolean" || value === null || value === undefined)
    return String(value);
  return kindOf(value);
}

/** `invalid policy: maxConcurrency must be …` */
export function describeIssues(subject: string, issues: readonly Issue[]): string {
  return `invalid ${subject}: ${issues.map(({ path, expected }) => `${path || subject} must be ${expected}`).join("; ")}`;
}
