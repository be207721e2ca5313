/** Says whether all that an object has to say is in its own members: no instance of a class, promise, map or list. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // The second test is for Object.prototype of any realm.
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}
