import { EocError } from "@eoc/core";

/**
 * `name` if it can stand in a statement as it is.
 * @throws EocError `invalid_option`
 */
export function checkSchemaName(name: unknown): string {
  if (typeof name === "string" && /^[a-z_][a-z0-9_]{0,39}$/.test(name) && !name.startsWith("pg_")) return name;
  const expected = "lower-case letters, digits and _, at most 40 in all, not beginning with a digit or pg_";
  throw new EocError("invalid_option", `schema must be ${expected}`, {
    issues: [{ path: "schema", expected, received: typeof name }],
  });
}
