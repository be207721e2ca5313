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
  let valuesLeft = MAX_JSON_VALUES;
  const write = (part: unknown, depthLeft: number): string => {
    if (--valuesLeft < 0) throw new RangeError();
    if (part === null || typeof part === "boolean" || (typeof part === "number" && Number.isFinite(part)))
      return JSON.stringify(part);
    if (typeof part === "string") return writeString(part);
    if (typeof part !== "object" || depthLeft === 0) throw new TypeError();
    if (Array.isArray(part)) return `[${Array.from({ length: part.length }, (_, i) => write(part[i], depthLeft - 1))}]`;
    if (!isPlainObject(part)) throw new TypeError();
    const members: string[] = [];
    for (const key of Object.keys(part).sort()) {
      const member = part[key];
      if (member !== undefined) members.push(`${writeString(key)}:${write(member, depthLeft - 1)}`);
    }
    return `{${members.join(",")}}`;
  };

  try {
    return write(value, MAX_DEPTH);
  } catch {
    const { path, ...rest } = findNonJson(value, MAX_DEPTH) ?? problemAt(value, "a value that can be read");
    throw new SchemaError("invalid_json", [{ path: formatPath(path), ...rest }]);
  }
}

function writeString(text: string): string {
  if (!isWellFormed(text)) throw new TypeError();
  return JSON.stringify(text);
}
