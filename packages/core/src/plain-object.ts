import { errorTypeOf } from "./machine/outcome.js";

/** Says whether all that an object has to say is in its own members: no instance of a class, promise, map or list. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === null || prototype === Object.prototype) return true;
  // That of another realm; a class that extends nothing has as little above it.
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "hasOwnProperty");
}

/** What kind of value was given, which may hold a secret itself: `null`, `array`, `Promise`. May throw at a hostile one. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value !== "object" || isPlainObject(value)) return typeof value;
  const name = errorTypeOf(value);
  return name === "Error" && !(value instanceof Error) ? "object" : name;
}
