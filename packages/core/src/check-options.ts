import type { Issue } from "@eoc/decision-schema/read";
import { kindOf } from "./plain-object.js";

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

/** What is wrong with the options of `execute`: ports without their methods, fields that nobody knows. */
export function checkOptions(options: Readonly<Record<string, unknown>>): readonly Issue[] {
  let issues: Issue[] | undefined;
  // They are an object of our own: nothing is inherited.
  for (const name in options) {
    const value = options[name];
    // What was approved and could not be found is no approval.
    if (value === undefined && name !== "approval") continue;
    const expected = KNOWN.has(name) ? expectation(name, value) : `one of ${[...KNOWN].join(", ")}`;
    if (expected === undefined) continue;
    issues ??= [];
    issues.push({ path: `options.${name}`, expected, received: kindOf(value) });
  }
  return issues ?? NONE;
}

/** What an instance has from its class, a kill switch for one, is no member of its own and would be dropped. */
export function checkInherited(options: object, own: Readonly<Record<string, unknown>>): readonly Issue[] {
  const isDropped = (name: string) => !(name in own) && (options as Record<string, unknown>)[name] !== undefined;
  return [...KNOWN].filter(isDropped).map((name) => ({ path: `options.${name}`, expected: "a member of its own" }));
}

/** What `value` must be and is not. */
function expectation(name: string, value: unknown): string | undefined {
  const methods = PORTS[name];
  if (methods !== undefined) {
    for (const method of methods) if (!isFunction(memberOf(value, method))) return missing(methods, value);
    return undefined;
  }
  switch (name) {
    case "signal":
      return isFunction(memberOf(value, "addEventListener")) && typeof memberOf(value, "aborted") === "boolean"
        ? undefined
        : "an AbortSignal";
    case "approval": {
      // A time by another name, or one that could not be found, would be none: an approval for ever.
      const isKnown = ([name, member]: [string, unknown]) =>
        name === "digest" || (name === "expiresAtMs" && Number.isFinite(member));
      return typeof memberOf(value, "digest") === "string" && Object.entries(value as object).every(isKnown)
        ? undefined
        : "{ digest: string; expiresAtMs?: number } and nothing else";
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

function missing(methods: readonly string[], value: unknown): string {
  const names = methods.filter((method) => !isFunction(memberOf(value, method)));
  return `an object with ${names.map((name) => `${name}()`).join(", ")}`;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function isFunction(value: unknown): boolean {
  return typeof value === "function";
}
