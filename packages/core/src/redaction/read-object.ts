/** What an object that is neither a plain object nor an array turns out to be. */
export type Reading =
  | { readonly kind: "map"; readonly entries: readonly (readonly [unknown, unknown])[] }
  | { readonly kind: "set"; readonly items: readonly unknown[] }
  | { readonly kind: "date"; readonly date: Date }
  | ErrorReading
  | { readonly kind: "binary" }
  /** Stands for another value: a boxed primitive, a regular expression, something with `toJSON`. */
  | { readonly kind: "stand-in"; readonly value: unknown }
  | { readonly kind: "instance"; readonly keys: readonly string[] };

export interface ErrorReading {
  readonly kind: "error";
  readonly name: unknown;
  readonly message: unknown;
}

/**
 * Looks into any object. Throws whatever a hostile one throws, also when it only pretends to be a `Map` or a `Date`: methods come
 * from the built-in prototypes, never from the object. `toJSON` is the exception, since everything that logs calls it.
 */
export function readObject(source: object, mayStandIn: boolean): Reading {
  if (ArrayBuffer.isView(source)) return { kind: "binary" };
  const tag = Object.prototype.toString.call(source);
  if (tag === "[object Error]" || source instanceof Error) {
    const { name, message } = source as Error;
    return { kind: "error", name, message };
  }
  switch (tag) {
    case "[object ArrayBuffer]":
    case "[object SharedArrayBuffer]":
      return { kind: "binary" };
    case "[object Date]":
      return { kind: "date", date: new Date(Date.prototype.getTime.call(source)) };
    case "[object Map]": {
      const entries: [unknown, unknown][] = [];
      Map.prototype.forEach.call(source, (value, key) => entries.push([key, value]));
      return { kind: "map", entries };
    }
    case "[object Set]": {
      const items: unknown[] = [];
      Set.prototype.forEach.call(source, (item) => items.push(item));
      return { kind: "set", items };
    }
    case "[object RegExp]":
      return { kind: "stand-in", value: RegExp.prototype.toString.call(source) };
    case "[object String]":
      // Its own keys are the characters of the text.
      return { kind: "stand-in", value: String.prototype.valueOf.call(source) };
    case "[object Number]":
      return { kind: "stand-in", value: Number.prototype.valueOf.call(source) };
    case "[object Boolean]":
      return { kind: "stand-in", value: Boolean.prototype.valueOf.call(source) };
  }
  const { toJSON } = source as { toJSON?: unknown };
  if (mayStandIn && typeof toJSON === "function") return { kind: "stand-in", value: Reflect.apply(toJSON, source, []) };
  return { kind: "instance", keys: Object.keys(source) };
}
