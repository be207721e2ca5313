import type * as z from "zod";
import { formatPath, guarded, type Issue, SchemaError, type SchemaErrorCode, toIssues } from "./errors.ts";

/** Parses `input` and throws whatever goes wrong, also in a hostile getter, as a {@link SchemaError}. */
export function parseLoose<S extends z.ZodObject>(schema: S, code: SchemaErrorCode, input: unknown): z.output<S> {
  return parse(schema, code, input, () => []);
}

/**
 * {@link parseLoose}, but keys that the schema does not name are refused; also in the `parts`, by their keys, which are objects or lists
 * of them.
 */
export function parseStrict<S extends z.ZodObject>(
  schema: S,
  code: SchemaErrorCode,
  input: unknown,
  parts: Readonly<Record<string, z.ZodObject>> = {},
): z.output<S> {
  return parse(schema, code, input, (whole) => [
    ...unknownKeys(schema, whole, []),
    ...Object.entries(parts).flatMap(([key, part]) => {
      const value = whole[key] ?? [];
      if (!Array.isArray(value)) return unknownKeys(part, value, [key]);
      return value.flatMap((item, index) => unknownKeys(part, item, [key, index]));
    }),
  ]);
}

function unknownKeys({ shape }: z.ZodObject, value: object, path: readonly PropertyKey[]): Issue[] {
  return Object.keys(value)
    .filter((key) => !Object.hasOwn(shape, key))
    .map((key) => ({ path: formatPath([...path, key]), expected: "no such key" }));
}

/** A copy of `value` that has the `keys` first and in this order, `null` where they are absent. */
export function toWire(value: Readonly<Record<string, unknown>>, keys: readonly string[]): Record<string, unknown> {
  const known = Object.fromEntries(keys.map((key) => [key, value[key] ?? null]));
  return { ...known, ...value, ...known };
}

function parse<S extends z.ZodObject>(
  schema: S,
  code: SchemaErrorCode,
  input: unknown,
  checkKeys: (input: Record<string, unknown>) => Issue[],
): z.output<S> {
  return guarded(code, input, () => {
    const result = schema.safeParse(input);
    const issues = result.success ? checkKeys(input as Record<string, unknown>) : toIssues(result.error, input);
    if (!result.success || issues.length > 0) throw new SchemaError(code, issues);
    return result.data;
  });
}
