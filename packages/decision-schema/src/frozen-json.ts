import { isPlainObject, isWellFormed, MAX_JSON_DEPTH, MAX_JSON_VALUES } from "./json-value.ts";

/** Stands for what is not JSON. */
export const NOT_JSON = /* @__PURE__ */ Symbol("not JSON");

const hasOwn = Object.prototype.hasOwnProperty;

/** The one copy of all objects without members. */
export const NO_MEMBERS = /* @__PURE__ */ Object.freeze({});

/** Lists longer than this grow item by item: a length is a claim of the caller's. */
const MAX_PREPARED_LENGTH = 10_000;

/**
 * A deep-frozen copy of a JSON value, every member read once, so that what was judged is what is kept; {@link NOT_JSON} for what
 * `checkJson` would find something in. A member named `__proto__` stays an ordinary one. Never throws.
 */
export function frozenJson(value: unknown): unknown {
  try {
    return copyOf(value, MAX_JSON_DEPTH, { valuesLeft: MAX_JSON_VALUES });
  } catch {
    return NOT_JSON; // A hostile getter or proxy.
  }
}

/** An empty list with room for as many items. */
export function listOf(length: number): unknown[] {
  return length > MAX_PREPARED_LENGTH ? [] : new Array(length);
}

function copyOf(value: unknown, depthLeft: number, budget: { valuesLeft: number }): unknown {
  if (--budget.valuesLeft < 0) return NOT_JSON;
  switch (typeof value) {
    case "boolean":
      return value;
    case "string":
      return isWellFormed(value) ? value : NOT_JSON;
    case "number":
      return Number.isFinite(value) ? value : NOT_JSON;
    case "object":
      if (value === null) return value;
      if (depthLeft === 0) return NOT_JSON;
      return Array.isArray(value) ? copyOfList(value, depthLeft, budget) : copyOfObject(value, depthLeft, budget);
    default:
      return NOT_JSON;
  }
}

function copyOfList(list: readonly unknown[], depthLeft: number, budget: { valuesLeft: number }): unknown {
  const { length } = list;
  const copy = listOf(length);
  for (let index = 0; index < length; index++) {
    const item = copyOf(list[index], depthLeft - 1, budget);
    if (item === NOT_JSON) return NOT_JSON;
    copy[index] = item;
  }
  return Object.freeze(copy);
}

function copyOfObject(object: object, depthLeft: number, budget: { valuesLeft: number }): unknown {
  if (!isPlainObject(object)) return NOT_JSON;
  const copy: Record<string, unknown> = {};
  let isEmpty = true;
  for (const key in object) {
    // Engines know this question inside such a loop, and answer it without asking: a twentieth of all reading.
    if (!hasOwn.call(object, key)) continue;
    isEmpty = false;
    const member = object[key];
    const copied = member === undefined ? member : copyOf(member, depthLeft - 1, budget);
    if (copied === NOT_JSON || !isWellFormed(key)) return NOT_JSON;
    if (key === "__proto__") Object.defineProperty(copy, key, { value: copied, enumerable: true });
    else copy[key] = copied;
  }
  return isEmpty ? NO_MEMBERS : Object.freeze(copy);
}
