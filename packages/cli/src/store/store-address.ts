import { UsageError } from "../usage-error.js";

/** Where a store is, as it was given on the command line. */
export interface StoreAddress {
  readonly kind: "sqlite" | "postgres" | "redis";
  /** A path for SQLite, else the whole address. */
  readonly target: string;
  /** The texts in it that nobody is to see. */
  readonly secrets: readonly string[];
}

const KINDS: Readonly<Record<string, StoreAddress["kind"]>> = {
  "sqlite:": "sqlite",
  "postgres:": "postgres",
  "postgresql:": "postgres",
  "redis:": "redis",
  "rediss:": "redis",
};

/** @throws UsageError */
export function parseStoreAddress(text: string): StoreAddress {
  const scheme = text.slice(0, text.indexOf(":") + 1);
  const kind = Object.hasOwn(KINDS, scheme) ? KINDS[scheme] : undefined;
  const rest = text.slice(scheme.length);
  if (kind === "sqlite" && rest !== "") return { kind, target: rest, secrets: [] };
  if (kind !== undefined && kind !== "sqlite" && URL.canParse(text)) {
    const { password } = new URL(text);
    return { kind, target: text, secrets: password === "" ? [] : [password, decoded(password), text] };
  }
  // Not said again: it may hold a password all the same.
  throw new UsageError("STORE must be sqlite:PATH, postgres://... or redis://... (see --help)");
}

/** Whether a FILE is the address of a store. One whose name begins so is written with a folder before it. */
export function isStoreAddress(text: string): boolean {
  return Object.hasOwn(KINDS, text.slice(0, text.indexOf(":") + 1));
}

/** `text` without the secrets of an address. */
export function withoutSecrets(text: string, { secrets }: StoreAddress): string {
  return [...secrets]
    .sort((a, b) => b.length - a.length)
    .reduce((rest, secret) => rest.replaceAll(secret, "***"), text);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
