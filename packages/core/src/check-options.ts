import type { Issue } from "@eoc/decision-schema/read";
import type { Bulkhead } from "./ports/bulkhead.js";
import type { Clock } from "./ports/clock.js";
import type { IdempotencyStore } from "./ports/idempotency-store.js";
import type { Journal } from "./ports/journal.js";
import type { KillSwitch } from "./ports/kill-switch.js";
import type { RateLimiter } from "./ports/rate-limiter.js";
import type { RetryBudget } from "./ports/retry-budget.js";

/** The methods that each port must have for it to be asked at all. */
const PORTS: Record<string, readonly string[]> = {
  clock: ["now", "monotonic", "setTimer"],
  killSwitch: ["read"],
  rateLimiter: ["acquire"],
  idempotencyStore: ["claim", "renew", "complete", "release", "markUnknown"],
  retryBudget: ["tryTake", "succeeded"],
  bulkhead: ["tryEnter", "queue", "leave"],
  journal: ["append"],
};

const KNOWN: ReadonlySet<string> = new Set([
  ...Object.keys(PORTS),
  "signal",
  "executionId",
  "seed",
  "approval",
  "gates",
  "onEvent",
]);

const NONE: readonly Issue[] = [];

/** The members that are asked for, whatever they are. */
type Members = {
  readonly [name in
    | keyof Clock
    | keyof KillSwitch
    | keyof RateLimiter
    | keyof IdempotencyStore
    | keyof RetryBudget
    | keyof Bulkhead
    | keyof Journal
    | "addEventListener"
    | "aborted"
    | "digest"
    | "expiresAtMs"]?: unknown;
};

const NO_MEMBERS: Members = {};

/** What is wrong with the options of `execute`: ports without their methods, fields that nobody knows. */
export function checkOptions(options: Readonly<Record<string, unknown>>): readonly Issue[] {
  let issues: Issue[] | undefined;
  // They are an object of our own: nothing is inherited.
  for (const name in options) {
    const value = options[name];
    if (value === undefined && name !== "approval") continue;
    const expected = KNOWN.has(name) ? expectation(name, value) : `one of ${[...KNOWN].join(", ")}`;
    if (expected === undefined) continue;
    issues ??= [];
    issues.push({ path: `options.${name}`, expected, received: typeof value });
  }
  return issues ?? NONE;
}

/** What `value` must be and is not. */
function expectation(name: string, value: unknown): string | undefined {
  const methods = PORTS[name];
  if (methods !== undefined) return isPort(name, value) ? undefined : missing(methods, value);
  switch (name) {
    case "signal": {
      const { addEventListener, aborted } = membersOf(value);
      return isFunction(addEventListener) && typeof aborted === "boolean" ? undefined : "an AbortSignal";
    }
    case "approval": {
      const { digest, expiresAtMs } = membersOf(value);
      const timed = expiresAtMs === undefined || Number.isFinite(expiresAtMs);
      return typeof digest === "string" && timed ? undefined : "{ digest: string; expiresAtMs?: number }";
    }
    case "gates":
      return Array.isArray(value) && value.every(isFunction) ? undefined : "a list of functions";
    case "onEvent":
      return isFunction(value) ? undefined : "a function";
    default:
      // An id has to go into records as UTF-8.
      return typeof value === "string" && value !== "" && !/[\ud800-\udfff]/u.test(value)
        ? undefined
        : "a non-empty string without lone surrogates";
  }
}

/** True where it has all its {@link PORTS} methods. Named one by one, they take 140 instead of 225 ns for nine ports. */
function isPort(name: string, value: unknown): boolean {
  const port = membersOf(value);
  switch (name) {
    case "clock":
      return isFunction(port.now) && isFunction(port.monotonic) && isFunction(port.setTimer);
    case "killSwitch":
      return isFunction(port.read);
    case "rateLimiter":
      return isFunction(port.acquire);
    case "idempotencyStore":
      return (
        isFunction(port.claim) &&
        isFunction(port.renew) &&
        isFunction(port.complete) &&
        isFunction(port.release) &&
        isFunction(port.markUnknown)
      );
    case "retryBudget":
      return isFunction(port.tryTake) && isFunction(port.succeeded);
    case "bulkhead":
      return isFunction(port.tryEnter) && isFunction(port.queue) && isFunction(port.leave);
    default:
      return isFunction(port.append);
  }
}

function missing(methods: readonly string[], value: unknown): string {
  const members: Record<string, unknown> = membersOf(value);
  const names = methods.filter((method) => !isFunction(members[method]));
  return `an object with ${names.map((name) => `${name}()`).join(", ")}`;
}

function membersOf(value: unknown): Members {
  return typeof value === "object" && value !== null ? value : NO_MEMBERS;
}

function isFunction(value: unknown): boolean {
  return typeof value === "function";
}
