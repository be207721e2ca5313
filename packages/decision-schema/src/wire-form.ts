import type * as z from "zod";
import { formatPath, guarded, type Issue, SchemaError, type SchemaErrorCode, toIssues } from "./errors.ts";

/** Parses `input` and throws whatever goes wrong, also in a hostile getter, as a {@link SchemaError}. */
export function parseLoose<S extends z.ZodObject>(schema: S, code: SchemaErrorCode, input: unknown): z.output<S> {
  return parse(schema, code, input, () => []);
}

/** {@link parseLoose}, but keys that the schema does not name are refused. */
export function parseStrict<S extends z.ZodObject>(schema: S, code: SchemaErrorCode, input: unknown): z.output<S> {
  return parse(schema, code, input, (keys) =>
    keys
      .filter((key) => !Object.hasOwn(schema.shape, key))
      .map((key) => ({ path: formatPath([key]), expected: "no such key" })),
  );
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
  checkKeys: (keys: string[]) => Issue[],
): z.output<S> {
  return guarded(code, input, () => {
    const result = schema.safeParse(input);
    const issues = result.success ? checkKeys(Object.keys(input as object)) : toIssues(result.error, input);
    if (!result.success || issues.length > 0) throw new SchemaError(code, issues);
    return result.data;
  });
}
