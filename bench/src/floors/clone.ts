/** The members that a record's clone masks by name alone. */
const SECRET_NAMES = new Set(["password", "secret", "token", "authorization", "api_key", "cookie"]);
const MASK = "[REDACTED]";

/** A copy of plain data that looks at every name once and at no text: what nothing that masks can be faster than. */
export function leanClone(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const copy: unknown[] = [];
    for (const item of value) copy.push(leanClone(item));
    return copy;
  }
  const members = value as Record<string, unknown>;
  const copy: Record<string, unknown> = {};
  for (const key in members) copy[key] = SECRET_NAMES.has(key) ? MASK : leanClone(members[key]);
  return copy;
}

const NAME = /password|passwd|secret|token|authorization|api[-_]?key|cookie|credential|private/i;
const SHAPES = [
  /\bBearer\s+[\w.~+/-]+=*/gi,
  /\bey[\w-]+\.[\w-]+\.[\w-]+/g,
  /\b(?:api[-_]?key|token|secret|password)\s*[=:]\s*\S+/gi,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /:\/\/[^:/\s]+:[^@/\s]+@/g,
  /-----BEGIN [A-Z ]+-----[\s\S]*?-----END [A-Z ]+-----/g,
  /\b(?:gh[pousr]_|xox[bp]-|sk-|sk_live_|glpat-)[\w-]{16,}/g,
  /\b\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?\d{4}\b/g,
];

/** What is usually written: every name and every text through regular expressions, on the way through a clone. */
export function naiveRedact(value: unknown): unknown {
  if (typeof value === "string") return SHAPES.reduce((text, shape) => text.replace(shape, MASK), value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(naiveRedact);
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, NAME.test(key) ? MASK : naiveRedact(member)]),
  );
}
