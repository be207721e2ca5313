import { refuseOption } from "@eoc/store-kit";

/**
 * `name` if it can stand in a statement as it is.
 * @throws EocError `invalid_option`
 */
export function checkSchemaName(name: unknown): string {
  if (typeof name === "string" && /^[a-z_][a-z0-9_]{0,39}$/.test(name) && !name.startsWith("pg_")) return name;
  return refuseOption(
    "schema",
    "lower-case letters, digits and _, at most 40, not beginning with a digit or pg_",
    name,
  );
}
