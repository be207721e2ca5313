import { formatPath, type Issue, typeName } from "./errors.ts";

/** How deep objects and lists may be nested inside one value of the contract, such as `params`. */
export const MAX_JSON_DEPTH = 128;

/** How many values one JSON value may hold; stops values that share parts so often that walking them never ends. */
export const MAX_JSON_VALUES = 1_000_000;

/** What is asked of every text. */
export const WELL_FORMED = "a string without lone surrogates";

/** The first place in a value that is not JSON. */
export interface JsonProblem {
  path: PropertyKey[];
  expected: string;
  received: string;
}

/**
 * What keeps `value` from being JSON: the first problem, or an empty list when there is none. Never throws.
 *
 * JSON here means what RFC 8785 can write: finite numbers, strings without lone surrogates, lists without gaps, plain objects;
 * at most {@link MAX_JSON_DEPTH} levels and a million values. Object members that are `undefined` are skipped, as `JSON.stringify` does.
 */
export function checkJson(value: unknown): Issue[] {
  const problem = findNonJson(value, MAX_JSON_DEPTH);
  return problem ? [{ ...problem, path: formatPath(problem.path) }] : [];
}

/** The same with the path as a list and a depth of one's own choice. */
export function findNonJson(value: unknown, maxDepth: number): JsonProblem | undefined {
  try {
    return visit(value, maxDepth, { valuesLeft: MAX_JSON_VALUES });
  } catch {
    return problemAt(value, "a value that can be read");
  }
}

/** Says whether a string can be written as UTF-8 unchanged. */
export function isWellFormed(text: string): boolean {
  // Engines from before 2023 have no method for it.
  return nativelyWellFormed === undefined ? !/[\ud800-\udfff]/u.test(text) : nativelyWellFormed.call(text);
}

const nativelyWellFormed = (String.prototype as { isWellFormed?: (this: string) => boolean }).isWellFormed;

/** Says whether `value` is an object that JSON can write member by member: not a class instance, a `Map`, a `Date` … */
export function isPlainObject(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  // The second test is for Object.prototype of any realm.
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}

// The path is put together on the way back from a problem, so that values without one pay nothing for it.
function visit(value: unknown, depthLeft: number, budget: { valuesLeft: number }): JsonProblem | undefined {
  if (--budget.valuesLeft < 0) return problemAt(value, `at most ${MAX_JSON_VALUES} values`);
  switch (typeof value) {
    case "boolean":
      return;
    case "number":
      return Number.isFinite(value) ? undefined : problemAt(value, "a finite number");
    case "string":
      return isWellFormed(value) ? undefined : problemAt(value, WELL_FORMED);
    case "object":
      if (value === null) return;
      if (depthLeft === 0) return problemAt(value, "fewer nested levels and no cycle");
      if (Array.isArray(value)) {
        for (let index = 0; index < value.length; index++) {
          const problem = visit(value[index], depthLeft - 1, budget);
          if (problem) return within(index, problem);
        }
        return;
      }
      if (!isPlainObject(value)) return problemAt(value, "a plain object");
      for (const key of Object.keys(value)) {
        const member = value[key];
        const problem = isWellFormed(key)
          ? member === undefined
            ? undefined
            : visit(member, depthLeft - 1, budget)
          : problemAt(member, "a key without lone surrogates");
        if (problem) return within(key, problem);
      }
      return;
    default:
      return problemAt(value, "JSON");
  }
}

function within(key: PropertyKey, problem: JsonProblem): JsonProblem {
  problem.path.unshift(key);
  return problem;
}

/** A problem of `value` itself. */
export function problemAt(value: unknown, expected: string): JsonProblem {
  return { path: [], expected, received: typeName(value) };
}
