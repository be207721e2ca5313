import { formatPath, SchemaError } from "./errors.ts";
import { findNonJson, isPlainObject, isWellFormed, MAX_JSON_VALUES, problemAt } from "./json-value.ts";

const MAX_DEPTH = 1000;

/**
 * The one text of a JSON value, as RFC 8785 (JCS) defines it. Members that are `undefined` are left out, as `JSON.stringify` does.
 *
 * @throws {SchemaError} `invalid_json`, with paths, for what JSON cannot carry (`NaN`, `Infinity`, bigints, functions, symbols,
 * `undefined` by itself or in a list, lone surrogates, objects that are not plain), for more than 1000 levels, cycles included,
 * and for more than a million values
 */
export function canonicalJson(value: unknown): string {
  try {
    // One copy with its keys in order is written by the engine in a fraction of the time that writing by hand takes.
    const copy = sortedCopy(value, MAX_DEPTH, { left: MAX_JSON_VALUES });
    return copy === UNSORTABLE || isWritingChanged()
      ? writeByHand(value, MAX_DEPTH, { left: MAX_JSON_VALUES })
      : JSON.stringify(copy);
  } catch {
    const { path, ...rest } = findNonJson(value, MAX_DEPTH) ?? problemAt(value, "a value that can be read");
    throw new SchemaError("invalid_json", [{ path: formatPath(path), ...rest }]);
  }
}

interface Budget {
  /** Values that may still come. */
  left: number;
}

/** Stands for what has keys that objects put in an order of their own. */
const UNSORTABLE = Symbol("unsortable");

/** Somebody has told `JSON.stringify` to write objects in another way. */
function isWritingChanged(): boolean {
  return "toJSON" in Array.prototype;
}

function sortedCopy(part: unknown, depthLeft: number, budget: Budget): unknown {
  if (--budget.left < 0) throw new RangeError();
  if (typeof part !== "object" || part === null) return checkScalar(part);
  if (depthLeft === 0) throw new TypeError();
  if (Array.isArray(part)) return sortedItems(part, depthLeft, budget);
  if (!isPlainObject(part)) throw new TypeError();
  const copy: Record<string, unknown> = {};
  for (const key of sortedKeys(part)) {
    const first = key.charCodeAt(0);
    // Keys that may be indexes come before all others, whatever was written first.
    if ((first >= 0x30 && first <= 0x39) || key === "__proto__") return UNSORTABLE;
    const member = part[key];
    if (member === undefined) continue;
    const copied = sortedCopy(member, depthLeft - 1, budget);
    if (copied === UNSORTABLE) return UNSORTABLE;
    copy[checkText(key)] = copied;
  }
  return copy;
}

function sortedItems(part: readonly unknown[], depthLeft: number, budget: Budget): unknown {
  const copy: unknown[] = [];
  for (let index = 0; index < part.length; index++) {
    const copied = sortedCopy(part[index], depthLeft - 1, budget);
    if (copied === UNSORTABLE) return UNSORTABLE;
    copy.push(copied);
  }
  return copy;
}

/** By UTF-16 code units. Most objects have few keys, for which nothing is quicker than to put each in its place. */
function sortedKeys(part: object): string[] {
  const keys = Object.keys(part);
  if (keys.length > FEW_KEYS) return keys.sort();
  for (let index = 1; index < keys.length; index++) {
    const key = keys[index] as string;
    let place = index;
    for (; place > 0 && (keys[place - 1] as string) > key; place--) keys[place] = keys[place - 1] as string;
    keys[place] = key;
  }
  return keys;
}

const FEW_KEYS = 16;

function writeByHand(part: unknown, depthLeft: number, budget: Budget): string {
  if (--budget.left < 0) throw new RangeError();
  if (typeof part !== "object" || part === null) return JSON.stringify(checkScalar(part));
  if (depthLeft === 0) throw new TypeError();
  if (Array.isArray(part)) {
    return `[${Array.from({ length: part.length }, (_, index) => writeByHand(part[index], depthLeft - 1, budget))}]`;
  }
  if (!isPlainObject(part)) throw new TypeError();
  const members: string[] = [];
  for (const key of sortedKeys(part)) {
    const member = part[key];
    if (member === undefined) continue;
    members.push(`${JSON.stringify(checkText(key))}:${writeByHand(member, depthLeft - 1, budget)}`);
  }
  return `{${members.join(",")}}`;
}

function checkScalar(part: unknown): unknown {
  if (typeof part === "string") return checkText(part);
  if (part === null || typeof part === "boolean" || (typeof part === "number" && Number.isFinite(part))) return part;
  throw new TypeError();
}

function checkText(text: string): string {
  if (!isWellFormed(text)) throw new TypeError();
  return text;
}
