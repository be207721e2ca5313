import {
  ACTION_KEYS,
  ACTIONS,
  CONTEXT_KEYS,
  DECISION_KEYS,
  EFFECTS,
  isDefaultIdOfAnother,
  MAX_ID_LENGTH,
  MISMATCH_KEYS,
} from "./contract-values.ts";
import { formatPath, type Issue, MAX_ISSUES, typeName } from "./errors.ts";
import type { ExecutionContext } from "./execution-context.ts";
import type { FinalDecision } from "./final-decision.ts";
import { frozenJson, listOf, NO_MEMBERS, NOT_JSON } from "./frozen-json.ts";
import { findNonJson, isWellFormed, type JsonProblem, MAX_JSON_DEPTH, problemAt, WELL_FORMED } from "./json-value.ts";

/*
 * What the schemas say of decisions and contexts, by hand: without zod, in a fraction of the time, and one pass makes the frozen
 * copy as well. Property tests hold the two together.
 */

/** What came of reading: a deep-frozen copy with the defaults filled in, or what is wrong, at most 50 issues. */
export type ReadResult<T> =
  | { readonly success: true; readonly data: T }
  | { readonly success: false; readonly issues: readonly Issue[] };

const NO_TEXTS: readonly string[] = /* @__PURE__ */ Object.freeze([]);
const UNREADABLE = "a value that can be read";
const FEW_ACTIONS = 8;

type Members = Record<string, unknown>;

/** What is wrong so far. The paths grow on the way back, so that a value without a problem pays nothing for them. */
type Problems = JsonProblem[];

/**
 * Reads a decision as `FinalDecisionSchema` and `toIssues` do, and copies it: the caller's object is not looked at again. Every
 * member is read once. Never throws: what throws while it is read is refused.
 */
export function readDecision(value: unknown): ReadResult<FinalDecision> {
  return read(takeDecision, value) as ReadResult<FinalDecision>;
}

/** The same of a context, as `ExecutionContextSchema` sees it. */
export function readContext(value: unknown): ReadResult<Readonly<ExecutionContext>> {
  return read(takeContext, value) as ReadResult<ExecutionContext>;
}

/** Most values have no problem, and one list does for all of them. */
let unused: Problems | undefined;

function read(take: (value: unknown, problems: Problems) => unknown, value: unknown): ReadResult<unknown> {
  // What is read may read something itself.
  const problems = unused ?? [];
  unused = undefined;
  let data: unknown;
  try {
    data = take(value, problems);
  } catch {
    problems.splice(0, problems.length, problemAt(value, UNREADABLE)); // A hostile getter or proxy.
  }
  if (problems.length === 0) {
    unused = problems;
    return { success: true, data };
  }
  const issues = problems.slice(0, MAX_ISSUES).map(({ path, expected, received }) => ({
    path: formatPath(path),
    expected,
    // Nothing at all is no type.
    ...(value !== undefined && { received }),
  }));
  return { success: false, issues };
}

function takeDecision(value: unknown, problems: Problems): unknown {
  if (!isObject(value, problems)) return;
  const copy: Members = {
    action: takeOneOf(ACTIONS, value["action"], "action", problems),
    allowed: takeAllowed(value["allowed"], problems),
    reasons: takeTexts(value["reasons"], "reasons", problems),
  };
  const actions = takeActions(value["actions"], problems);
  if (actions !== undefined || "actions" in value) copy["actions"] = actions;
  const mismatch = takeMismatch(value["mismatch"], problems);
  if (mismatch !== undefined || "mismatch" in value) copy["mismatch"] = mismatch;
  const throttle = takeDuration(value["throttle_ms"], "throttle_ms", problems);
  if (throttle !== undefined || "throttle_ms" in value) copy["throttle_ms"] = throttle;
  const cooldown = takeDuration(value["cooldown_ms"], "cooldown_ms", problems);
  if (cooldown !== undefined || "cooldown_ms" in value) copy["cooldown_ms"] = cooldown;
  const params = takeObject(value["params"], "params", problems);
  if (params !== undefined || "params" in value) copy["params"] = params;
  takeOthers(DECISION_KEYS, value, copy, problems);
  return Object.freeze(copy);
}

function takeActions(value: unknown, problems: Problems): unknown {
  if (value == null) return value;
  if (!Array.isArray(value)) return refuse(value, "array", "actions", problems);
  const start = problems.length;
  const { length } = value;
  const actions = listOf(length) as Members[];
  for (let index = 0; index < length && problems.length < MAX_ISSUES; index++) {
    const before = problems.length;
    actions[index] = takeAction(value[index], problems) as Members;
    if (problems.length > before) addToPaths(index, problems, before);
  }
  if (problems.length === start && start < MAX_ISSUES) refuseRepeatedIds(actions, problems);
  if (problems.length > start) addToPaths("actions", problems, start);
  return Object.freeze(actions);
}

function refuseRepeatedIds(actions: readonly Members[], problems: Problems): void {
  // Most decisions have few actions, where looking back costs less than a set.
  const seen = actions.length > FEW_ACTIONS ? new Set<unknown>() : undefined;
  for (let index = 0; index < actions.length; index++) {
    const id = actions[index]!["id"];
    if (id == null) continue;
    const isRepeated = seen === undefined ? actions.findIndex((other) => other["id"] === id) < index : seen.has(id);
    const isNameless = (other: number) => other < actions.length && actions[other]!["id"] == null;
    if (isRepeated || isDefaultIdOfAnother(id as string, index, isNameless))
      problems.push({ ...problemAt(id, "an id of its own"), path: [index, "id"] });
    seen?.add(id);
  }
}

function takeAction(value: unknown, problems: Problems): unknown {
  if (!isObject(value, problems)) return;
  const copy: Members = { action: takeOneOf(ACTIONS, value["action"], "action", problems) };
  const id = takeId(value["id"], "id", problems);
  if (id !== undefined || "id" in value) copy["id"] = id;
  const params = takeObject(value["params"], "params", problems);
  if (params !== undefined || "params" in value) copy["params"] = params;
  const effect = takeEffect(value["effect"], problems);
  if (effect !== undefined || "effect" in value) copy["effect"] = effect;
  const key = takeId(value["idempotency_key"], "idempotency_key", problems);
  if (key !== undefined || "idempotency_key" in value) copy["idempotency_key"] = key;
  takeOthers(ACTION_KEYS, value, copy, problems);
  return Object.freeze(copy);
}

function takeMismatch(value: unknown, problems: Problems): unknown {
  if (value == null) return value;
  const start = problems.length;
  const mismatch = takeMismatchInfo(value, problems);
  if (problems.length > start) addToPaths("mismatch", problems, start);
  return mismatch;
}

function takeMismatchInfo(value: unknown, problems: Problems): unknown {
  if (!isObject(value, problems)) return;
  const copy: Members = {
    flags: takeTexts(value["flags"], "flags", problems),
    reason_codes: takeTexts(value["reason_codes"], "reason_codes", problems),
  };
  const throttle = takeDuration(value["throttle_refresh_ms"], "throttle_refresh_ms", problems);
  if (throttle !== undefined || "throttle_refresh_ms" in value) copy["throttle_refresh_ms"] = throttle;
  const metadata = takeObject(value["metadata"], "metadata", problems);
  if (metadata !== undefined || "metadata" in value) copy["metadata"] = metadata;
  takeOthers(MISMATCH_KEYS, value, copy, problems);
  return Object.freeze(copy);
}

function takeContext(value: unknown, problems: Problems): unknown {
  if (!isObject(value, problems)) return;
  const copy: Members = {};
  const now = takeTime(value["now_ms"], "now_ms", problems);
  if (now !== undefined || "now_ms" in value) copy["now_ms"] = now;
  const cooldown = takeTime(value["ops_cooldown_until_ms"], "ops_cooldown_until_ms", problems);
  if (cooldown !== undefined || "ops_cooldown_until_ms" in value) copy["ops_cooldown_until_ms"] = cooldown;
  takeOthers(CONTEXT_KEYS, value, copy, problems);
  for (const _ in copy) return Object.freeze(copy);
  return NO_MEMBERS;
}

/** The members that the contract does not name, inherited ones too, as zod sees them. */
function takeOthers(named: ReadonlySet<string>, source: Members, copy: Members, problems: Problems): void {
  for (const key in source) {
    // A copy could not carry a member named `__proto__` as it is.
    if (named.has(key) || key === "__proto__") continue;
    const value = source[key];
    copy[key] = value === undefined ? value : takeJson(value, key, problems);
  }
}

function takeOneOf(allowed: readonly unknown[], value: unknown, key: string, problems: Problems): unknown {
  if (allowed.includes(value)) return value;
  return refuse(value, allowed.map((name) => JSON.stringify(name)).join(" | "), key, problems);
}

function takeEffect(value: unknown, problems: Problems): unknown {
  return value == null ? value : takeOneOf(EFFECTS, value, "effect", problems);
}

function takeAllowed(value: unknown, problems: Problems): unknown {
  if (value === undefined) return true;
  return typeof value === "boolean" ? value : refuse(value, "boolean", "allowed", problems);
}

function takeTexts(value: unknown, key: string, problems: Problems): unknown {
  if (value == null) return NO_TEXTS;
  if (!Array.isArray(value)) return refuse(value, "array", key, problems);
  const start = problems.length;
  const { length } = value;
  const texts = listOf(length);
  for (let index = 0; index < length && problems.length < MAX_ISSUES; index++) {
    const text: unknown = value[index];
    if (typeof text !== "string") refuse(text, "string", index, problems);
    else if (!isWellFormed(text)) refuse(text, WELL_FORMED, index, problems);
    texts[index] = text;
  }
  if (problems.length > start) addToPaths(key, problems, start);
  return Object.freeze(texts);
}

function takeId(value: unknown, key: string, problems: Problems): unknown {
  if (value == null) return value;
  if (typeof value !== "string") return refuse(value, "string", key, problems);
  if (value === "") refuse(value, "length >= 1", key, problems);
  // Code points are counted only where there may be too many of them.
  else if (value.length > MAX_ID_LENGTH && [...value].length > MAX_ID_LENGTH)
    refuse(value, `length <= ${MAX_ID_LENGTH}`, key, problems);
  return isWellFormed(value) ? value : refuse(value, WELL_FORMED, key, problems);
}

function takeDuration(value: unknown, key: string, problems: Problems): unknown {
  if (value == null || (Number.isSafeInteger(value) && (value as number) >= 0)) return value;
  if (!Number.isFinite(value)) return refuse(value, "number", key, problems);
  if (!Number.isInteger(value)) return refuse(value, "int", key, problems);
  const limit = Number.MAX_SAFE_INTEGER;
  if ((value as number) > limit) return refuse(value, `<= ${limit}`, key, problems);
  if ((value as number) < -limit) refuse(value, `>= ${-limit}`, key, problems);
  return refuse(value, ">= 0", key, problems);
}

function takeTime(value: unknown, key: string, problems: Problems): unknown {
  return value == null || Number.isFinite(value) ? value : refuse(value, "number", key, problems);
}

function takeObject(value: unknown, key: string, problems: Problems): unknown {
  if (value == null) return value;
  return typeName(value) === "object" ? takeJson(value, key, problems) : refuse(value, "object", key, problems);
}

function takeJson(value: unknown, key: string, problems: Problems): unknown {
  const copy = frozenJson(value);
  if (copy !== NOT_JSON) return copy;
  // Read anew, by a reader that says where. Whatever it reads, the refusal stands.
  const problem = findNonJson(value, MAX_JSON_DEPTH) ?? problemAt(value, UNREADABLE);
  problem.path.unshift(key);
  problems.push(problem);
  return undefined;
}

function isObject(value: unknown, problems: Problems): value is Members {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return true;
  problems.push(problemAt(value, "object"));
  return false;
}

function refuse(value: unknown, expected: string, key: PropertyKey, problems: Problems): undefined {
  problems.push({ ...problemAt(value, expected), path: [key] });
}

function addToPaths(key: PropertyKey, problems: Problems, from: number): void {
  for (const { path } of problems.slice(from)) path.unshift(key);
}
