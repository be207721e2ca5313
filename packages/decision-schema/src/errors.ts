import type * as z from "zod";

/** One thing that is wrong with an input. It names types and key names, never a value. */
export interface Issue {
  /** Where, such as `actions[0].params`; empty for the input itself. */
  path: string;
  /** What was expected there, in words. */
  expected: string;
  /** The type of what was found there, such as `string`, `null` or `NaN`. */
  received?: string;
}

/** Why a function of this package refused its input. */
export type SchemaErrorCode =
  | "invalid_decision"
  | "invalid_json"
  | "invalid_mismatch"
  | "invalid_packet"
  | "invalid_proposal"
  | "invalid_text"
  | "invalid_version";

const BRAND = /* @__PURE__ */ Symbol.for("@eoc/decision-schema/SchemaError");
/** How many issues are worth reading. */
export const MAX_ISSUES = 50;
const MAX_KEY_LENGTH = 64;
const MAX_PATH_LENGTH = 256;

/** The one error that this package throws. Recognise it with {@link isSchemaError}. */
export class SchemaError extends Error {
  override readonly name = "SchemaError";
  readonly code: SchemaErrorCode;
  readonly issues: readonly Issue[];

  constructor(code: SchemaErrorCode, issues: readonly Issue[]) {
    super(`${code}: ${issues.map(describeIssue).join("; ")}`);
    this.code = code;
    this.issues = issues;
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/** Says whether `error` is a {@link SchemaError}, also one of another copy of this package. */
export function isSchemaError(error: unknown): error is SchemaError {
  try {
    return typeof error === "object" && error !== null && BRAND in error;
  } catch {
    return false; // a revoked proxy
  }
}

/** Runs `read`, which reads the foreign value `input`, and throws whatever it throws as a {@link SchemaError}. */
export function guarded<T>(code: SchemaErrorCode, input: unknown, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (isSchemaError(error)) throw error;
    throw new SchemaError(code, [{ path: "", expected: "a value that can be read", received: typeName(input) }]);
  }
}

/**
 * The issues of a zod error, at most 50.
 *
 * @param input what was parsed; with it, each issue also says what was `received`.
 */
export function toIssues(error: z.core.$ZodError, input?: unknown): Issue[] {
  const issues: Issue[] = [];
  let mistyped: string | undefined;
  for (const issue of error.issues) {
    if (issues.length >= MAX_ISSUES) break;
    if (issue.code === "unrecognized_keys") {
      for (const key of issue.keys) issues.push({ path: formatPath([...issue.path, key]), expected: "no such key" });
      continue;
    }
    const path = formatPath(issue.path);
    // zod measures whatever has a length; what is of another type is wrong once.
    if (path === mistyped && (issue.code === "too_small" || issue.code === "too_big")) continue;
    if (issue.code === "invalid_type") mistyped = path;
    issues.push({ path, expected: expectation(issue), ...receivedAt(issue.path, input) });
  }
  return issues.slice(0, MAX_ISSUES);
}

/** `["actions", 0, "a b"]` as `actions[0]["a b"]`, long keys and long paths cut. */
export function formatPath(path: readonly PropertyKey[]): string {
  let text = "";
  for (const key of path) {
    if (typeof key === "number") text += `[${key}]`;
    else if (/^[A-Za-z_$][\w$]{0,63}$/.test(String(key))) text += text === "" ? String(key) : `.${String(key)}`;
    else text += `[${JSON.stringify(cut(String(key), MAX_KEY_LENGTH))}]`;
    if (text.length > MAX_PATH_LENGTH) return cut(text, MAX_PATH_LENGTH);
  }
  return text;
}

/** The type of a value in one word; numbers that JSON cannot carry by their name. */
export function typeName(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (typeof value !== "object") return typeof value;
  try {
    return Array.isArray(value) ? "array" : "object";
  } catch {
    return "object"; // a revoked proxy
  }
}

function describeIssue({ path, expected, received }: Issue): string {
  return `${path === "" ? "input" : path}: expected ${expected}${received === undefined ? "" : `, received ${received}`}`;
}

function expectation(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return issue.expected;
    case "invalid_value":
      return issue.values
        .map((value) => (typeof value === "string" ? JSON.stringify(value) : String(value)))
        .join(" | ");
    case "too_small":
      return `${issue.origin === "string" ? "length " : ""}>= ${issue.minimum}`;
    case "too_big":
      return `${issue.origin === "string" ? "length " : ""}<= ${issue.maximum}`;
    default:
      return issue.message;
  }
}

function receivedAt(path: readonly PropertyKey[], input: unknown): { received?: string } {
  if (input === undefined) return {};
  let value: unknown = input;
  try {
    for (const key of path) value = (value as Record<PropertyKey, unknown>)[key];
  } catch {
    return {}; // a getter or a proxy that throws
  }
  return { received: typeName(value) };
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
