import type { KeyScope, KeyVerdict } from "./key-names.js";

/** What the walk needs to know about a key. */
export interface KnownKey extends KeyVerdict {
  /** The key as it appears in the copy: it may hold a secret itself. */
  readonly name: string;
  /** Nothing special about it, which is the case that has to be fast. */
  readonly ordinary: boolean;
  /** In `{ name: "password", value: "x" }`, which of the two it is. */
  readonly role: "name" | "value" | undefined;
  /** The last string under this key that held no secret: logs repeat themselves. */
  clean: string | undefined;
}

/** Longer keys and strings are judged anew each time instead of being remembered. */
const MAX_REMEMBERED_LENGTH = 128;
const MAX_REMEMBERED_KEYS = 2048;

const NAME_FIELD = /^(?:name|key|field|header|param|parameter|attribute|property|variable|option|label|k)$/i;
const VALUE_FIELD = /^(?:values?|val|v|contents?|data|default)$/i;

/** A name as programs use it, which prose is not. */
const IDENTIFIER = /^[\w.:$@[\]-]{1,64}$/;

export interface KeyMemory {
  know(key: string): KnownKey;
  /** Whether a name in running text is one of a secret. Such names are not remembered: they may hold on to a long text. */
  isSecretName(name: string): boolean;
  /** Whether a string, found as a value, is the name of a secret. */
  namesSecret(text: unknown): boolean;
}

/** Remembers what was decided about keys, for a bounded number of them. Keys that hold a secret are not kept. */
export function createKeyMemory(
  mask: string,
  judge: (key: string) => KeyVerdict,
  redactText: (text: string) => string,
): KeyMemory {
  const keys = new Map<string, KnownKey>();

  function know(key: string): KnownKey {
    const known = keys.get(key);
    if (known !== undefined) return known;
    const fresh = examine(key);
    if (fresh.name === key && key.length <= MAX_REMEMBERED_LENGTH) {
      if (keys.size >= MAX_REMEMBERED_KEYS) keys.clear();
      keys.set(key, fresh);
    }
    return fresh;
  }

  function examine(key: string): KnownKey {
    const { scope, rule } = judge(key);
    const name = redactText(key);
    const role = NAME_FIELD.test(key) ? "name" : VALUE_FIELD.test(key) ? "value" : undefined;
    // A key with a mask in it may be one that another key becomes.
    const ordinary = scope === "none" && !name.includes(mask) && role !== "value" && key !== "__proto__";
    return { scope, rule, name, role, ordinary, clean: undefined };
  }

  return {
    know,
    isSecretName(name) {
      const { scope } = keys.get(name) ?? judge(name);
      return scope !== "none" && scope !== "scalar";
    },
    namesSecret: (text) => typeof text === "string" && IDENTIFIER.test(text) && isStrong(know(text).scope),
  };
}

/** Notes the last clean string of a key. */
export function rememberClean(known: KnownKey, text: string): void {
  if (text.length <= MAX_REMEMBERED_LENGTH) known.clean = text;
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
