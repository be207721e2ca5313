export type Members = Readonly<Record<string, unknown>>;

const NO_MEMBERS: Members = Object.freeze({});

/** A frozen copy of JSON; throws at anything else. It does not say where that was, and does not end on a cycle. */
export function frozenCopy(value: unknown): unknown {
  if (value === null || typeof value === "boolean" || Number.isFinite(value)) return value;
  if (typeof value === "string" && isWellFormed(value)) return value;
  if (Array.isArray(value)) return Object.freeze(value.map(frozenCopy));
  if (typeof value !== "object" || Object.getPrototypeOf(value) !== Object.prototype) throw new Error("not JSON");
  return copyOfMembers(value as Members);
}

function copyOfMembers(members: Members): Members {
  const copy: Record<string, unknown> = {};
  let isEmpty = true;
  for (const key in members) {
    if (!isWellFormed(key) || key === "__proto__") throw new Error("not JSON");
    copy[key] = frozenCopy(members[key]);
    isEmpty = false;
  }
  return isEmpty ? NO_MEMBERS : Object.freeze(copy);
}

function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}
