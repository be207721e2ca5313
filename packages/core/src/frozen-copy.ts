/**
 * A deep-frozen copy of a JSON value (S1.3). The value must have been checked to be JSON of bounded depth
 * (`checkJson`); `__proto__` keys stay ordinary keys.
 */
export function deepFreezeCopy<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const copy = new Array<unknown>(value.length);
    for (let index = 0; index < value.length; index++) copy[index] = deepFreezeCopy<unknown>(value[index]);
    return Object.freeze(copy) as T;
  }
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const member = deepFreezeCopy((value as Record<string, unknown>)[key]);
    if (key === "__proto__") Object.defineProperty(copy, key, { value: member, enumerable: true });
    else copy[key] = member;
  }
  return Object.freeze(copy) as T;
}
