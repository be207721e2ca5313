import type * as z from "zod";
import {
  formatPath,
  type Issue,
  isSchemaError,
  SchemaError,
  type SchemaErrorCode,
  toIssues,
  typeName,
} from "./errors.ts";

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

/** Runs `read`, which reads the foreign value `input`, and throws whatever it throws as a {@link SchemaError}. */
export function guarded<T>(code: SchemaErrorCode, input: unknown, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (isSchemaError(error)) throw error;
    throw new SchemaError(code, [{ path: "", expected: "a value that can be read", received: typeName(input) }]);
  }
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
