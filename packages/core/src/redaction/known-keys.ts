import type { KeyScope, KeyVerdict } from "./key-names.js";

/** What the walk needs to know about a key. */
export interface KnownKey extends KeyVerdict {
  readonly key: string;
  /** The key as it appears in the copy: it may hold a secret itself. */
  readonly name: string;
  /** It stands in the copy as it is, and no other key can become it. */
  readonly staysAsItIs: boolean;
  /** Nothing special about it, which is the case that has to be fast. */
  readonly ordinary: boolean;
  /** In `{ name: "password", value: "x" }`, which of the two it is. */
  readonly role: "name" | "value" | undefined;
  /** The key that came after this one last time: objects of one shape come again, and to compare is cheaper than to look up. */
  next: KnownKey | undefined;
  /** In the same way, the first key of the object that was under this one last time. */
  first: KnownKey | undefined;
  /** Whether it is remembered itself; only such keys are remembered as followers, so that their number stays bounded. */
  isKept: boolean;
}

const MAX_KEY_LENGTH = 128;
const MAX_KEYS = 2048;

/** Engines copy a piece of a text that is so short; a longer one would hold on to the whole text. */
const MAX_NAME_LENGTH = 12;

const NAME_FIELD = /^(?:name|key|field|header|param|parameter|attribute|property|variable|option|label|k)$/i;
const VALUE_FIELD = /^(?:values?|val|v|contents?|data|default)$/i;

/** A name as programs use it, which prose is not. */
const IDENTIFIER = /^[\w.:$@[\]-]{1,64}$/;

/** Remembers what was decided about a bounded number of keys; never one that holds a secret, or a long one. */
export interface KeyMemory {
  /** Stands before the first key of an object. */
  readonly head: KnownKey;
  know(key: string): KnownKey;
  /** The same, for a key that comes after another in an object. */
  knowNext(previous: KnownKey, key: string): KnownKey;
  /** The same, for the first key of an object that is found under another. */
  knowFirst(under: KnownKey, key: string): KnownKey;
  /** Whether a name in running text is one of a secret. */
  isSecretName(name: string): boolean;
  /** Whether a string, found as a value, is the name of a secret. */
  namesSecret(text: unknown): boolean;
}

export function createKeyMemory(
  mask: string,
  judge: (key: string) => KeyVerdict,
  redactText: (text: string) => string,
): KeyMemory {
  const keys = new Map<string, KnownKey>();
  const names = new Map<string, boolean>();
  const head = examine("");

  function know(key: string): KnownKey {
    const known = keys.get(key);
    if (known !== undefined) return known;
    const fresh = examine(key);
    if (fresh.name === key && key.length <= MAX_KEY_LENGTH) {
      if (keys.size >= MAX_KEYS) {
        keys.clear();
        head.next = undefined;
        head.first = undefined;
      }
      fresh.isKept = true;
      keys.set(key, fresh);
    }
    return fresh;
  }

  function knowNext(previous: KnownKey, key: string): KnownKey {
    if (previous.next?.key === key) return previous.next;
    const known = know(key);
    if (known.isKept) previous.next = known;
    return known;
  }

  function knowFirst(under: KnownKey, key: string): KnownKey {
    const known = know(key);
    if (known.isKept) under.first = known;
    return known;
  }

  function examine(key: string): KnownKey {
    const { scope, rule } = judge(key);
    const name = redactText(key);
    const role = NAME_FIELD.test(key) ? "name" : VALUE_FIELD.test(key) ? "value" : undefined;
    // A key with a mask in it may be one that another key becomes.
    const staysAsItIs = !name.includes(mask) && key !== "__proto__";
    const ordinary = staysAsItIs && scope === "none" && role !== "value";
    return { key, ordinary, next: undefined, first: undefined, scope, rule, name, role, staysAsItIs, isKept: false };
  }

  return {
    head,
    know,
    knowNext,
    knowFirst,
    isSecretName(name) {
      const known = names.get(name);
      if (known !== undefined) return known;
      const { scope } = keys.get(name) ?? judge(name);
      const isSecret = scope !== "none" && scope !== "scalar";
      if (name.length <= MAX_NAME_LENGTH) {
        if (names.size >= MAX_KEYS) names.clear();
        names.set(name, isSecret);
      }
      return isSecret;
    },
    namesSecret: (text) => typeof text === "string" && IDENTIFIER.test(text) && isStrong(know(text).scope),
  };
}

/** Whether a value is masked because of the scope that its key's name has. */
export function scopeCovers(scope: KeyScope, value: unknown): boolean {
  switch (scope) {
    case "none":
      return false;
    case "all":
      return true;
    case "scalar":
      return typeof value !== "object" || value === null;
    case "data":
      return value !== null && value !== undefined && typeof value !== "boolean";
    case "text":
      return typeof value === "string";
  }
}

function isStrong(scope: KeyScope): boolean {
  return scope === "all" || scope === "data";
}
