import type { ExecutionContext } from "./context-keys.ts";
import type { FinalDecision } from "./final-decision.ts";
import { isWellFormed, MAX_JSON_DEPTH, MAX_JSON_VALUES } from "./json-value.ts";

/*
 * What the schemas say of decisions and contexts, by hand: in a fraction of the time, and one pass makes the frozen copy as
 * well. Whatever is refused here, or is only unusual, is for the schema to judge and to explain.
 */

/** Stands for everything that is not plainly valid. */
const REFUSED = Symbol("refused");
const ACTIONS: readonly unknown[] = ["HOLD", "ACT", "EXIT", "CANCEL", "STOP"];
const EFFECTS: readonly unknown[] = ["once", "idempotent", "none"];
const MAX_ID_LENGTH = 256;
const NO_MEMBERS = /* @__PURE__ */ Object.freeze({});
const NO_TEXTS: readonly string[] = /* @__PURE__ */ Object.freeze([]);

type Members = Record<string, unknown>;
type MemberReader = (key: string, value: unknown) => unknown;

/**
 * A deep-frozen copy of a decision with its defaults: what `FinalDecisionSchema` makes of it, reading every member once.
 * `undefined` when the decision is not plainly valid: then ask the schema. Never throws.
 */
export function readDecision(value: unknown): FinalDecision | undefined {
  return quickly(takeDecision, value) as FinalDecision | undefined;
}

/** The same of a context, as `ExecutionContextSchema` sees it. */
export function readContext(value: unknown): Readonly<ExecutionContext> | undefined {
  return quickly(takeContext, value) as ExecutionContext | undefined;
}

function quickly(take: (value: unknown) => unknown, value: unknown): unknown {
  try {
    const taken = take(value);
    return taken === REFUSED ? undefined : taken;
  } catch {
    return undefined; // A hostile getter or proxy.
  }
}

function takeDecision(value: unknown): unknown {
  const decision = takeMembers(value, takeDecisionMember);
  if (decision === undefined || decision["action"] === undefined) return REFUSED;
  if (decision["allowed"] === undefined) decision["allowed"] = true;
  if (decision["reasons"] === undefined) decision["reasons"] = NO_TEXTS;
  return Object.freeze(decision);
}

function takeDecisionMember(key: string, value: unknown): unknown {
  switch (key) {
    case "action":
      return ACTIONS.includes(value) ? value : REFUSED;
    case "allowed":
      return value === undefined || typeof value === "boolean" ? value : REFUSED;
    case "reasons":
      return takeTexts(value);
    case "actions":
      return value == null ? value : takeActions(value);
    case "mismatch":
      return value == null ? value : takeMismatch(value);
    case "throttle_ms":
    case "cooldown_ms":
      return takeDuration(value);
    case "params":
      return takeObject(value);
    default:
      return takeUnknown(value);
  }
}

function takeActions(value: unknown): unknown {
  const actions = takeList(value, takeAction);
  if (actions === REFUSED) return REFUSED;
  const ids = new Set<unknown>();
  for (const { id } of actions as readonly { id?: unknown }[]) {
    if (id == null) continue;
    if (ids.has(id)) return REFUSED;
    ids.add(id);
  }
  return actions;
}

function takeAction(value: unknown): unknown {
  const action = takeMembers(value, takeActionMember);
  return action === undefined || action["action"] === undefined ? REFUSED : Object.freeze(action);
}

function takeActionMember(key: string, value: unknown): unknown {
  switch (key) {
    case "action":
      return ACTIONS.includes(value) ? value : REFUSED;
    case "id":
    case "idempotency_key":
      return value == null || isId(value) ? value : REFUSED;
    case "effect":
      return value == null || EFFECTS.includes(value) ? value : REFUSED;
    case "params":
      return takeObject(value);
    default:
      return takeUnknown(value);
  }
}

function takeMismatch(value: unknown): unknown {
  const mismatch = takeMembers(value, takeMismatchMember);
  if (mismatch === undefined) return REFUSED;
  if (mismatch["flags"] === undefined) mismatch["flags"] = NO_TEXTS;
  if (mismatch["reason_codes"] === undefined) mismatch["reason_codes"] = NO_TEXTS;
  return Object.freeze(mismatch);
}

function takeMismatchMember(key: string, value: unknown): unknown {
  switch (key) {
    case "flags":
    case "reason_codes":
      return takeTexts(value);
    case "throttle_refresh_ms":
      return takeDuration(value);
    case "metadata":
      return takeObject(value);
    default:
      return takeUnknown(value);
  }
}

function takeContext(value: unknown): unknown {
  const context = takeMembers(value, takeContextMember);
  if (context === undefined) return REFUSED;
  return Object.keys(context).length === 0 ? NO_MEMBERS : Object.freeze(context);
}

function takeContextMember(key: string, value: unknown): unknown {
  const isTime = key === "now_ms" || key === "ops_cooldown_until_ms";
  return isTime && value != null && typeof value !== "number" ? REFUSED : takeUnknown(value);
}

/** A copy of a record, each member read once; undefined when it is none or one of them is refused. */
function takeMembers(value: unknown, take: MemberReader): Members | undefined {
  if (typeof value !== "object" || value === null || !isRecord(value)) return undefined;
  const copy: Members = {};
  for (const key of Object.keys(value)) {
    const member = key === "__proto__" ? REFUSED : take(key, value[key]);
    if (member === REFUSED) return undefined;
    copy[key] = member;
  }
  return copy;
}

function takeUnknown(value: unknown): unknown {
  return value === undefined ? value : takeJson(value, MAX_JSON_DEPTH, { valuesLeft: MAX_JSON_VALUES });
}

function takeObject(value: unknown): unknown {
  return value == null || (typeof value === "object" && !Array.isArray(value)) ? takeUnknown(value) : REFUSED;
}

function takeTexts(value: unknown): unknown {
  return value == null ? NO_TEXTS : takeList(value, takeText);
}

function takeText(value: unknown): unknown {
  return typeof value === "string" && isWellFormed(value) ? value : REFUSED;
}

function takeDuration(value: unknown): unknown {
  return value == null || (Number.isSafeInteger(value) && (value as number) >= 0) ? value : REFUSED;
}

function isId(value: unknown): boolean {
  return typeof value === "string" && value !== "" && value.length <= MAX_ID_LENGTH && isWellFormed(value);
}

function takeList(value: unknown, take: (item: unknown) => unknown): unknown {
  if (!Array.isArray(value) || value.length > MAX_JSON_VALUES) return REFUSED;
  // A list that grows by pushing keeps room for sixteen more, also when it is frozen.
  const copy = new Array<unknown>(value.length);
  for (let index = 0; index < copy.length; index++) {
    const taken = take(value[index]);
    if (taken === REFUSED) return REFUSED;
    copy[index] = taken;
  }
  return Object.freeze(copy);
}

function takeJson(value: unknown, depthLeft: number, budget: { valuesLeft: number }): unknown {
  if (--budget.valuesLeft < 0) return REFUSED;
  switch (typeof value) {
    case "boolean":
      return value;
    case "string":
      return isWellFormed(value) ? value : REFUSED;
    case "number":
      return Number.isFinite(value) ? value : REFUSED;
    case "object":
      if (value === null) return value;
      if (depthLeft === 0) return REFUSED;
      if (Array.isArray(value)) return takeList(value, (item) => takeJson(item, depthLeft - 1, budget));
      return takeJsonObject(value, depthLeft, budget);
    default:
      return REFUSED;
  }
}

function takeJsonObject(value: object, depthLeft: number, budget: { valuesLeft: number }): unknown {
  if (!isRecord(value)) return REFUSED;
  const keys = Object.keys(value);
  if (keys.length === 0) return NO_MEMBERS;
  const copy: Members = {};
  for (const key of keys) {
    if (key === "__proto__" || !isWellFormed(key)) return REFUSED;
    const member = value[key];
    const taken = member === undefined ? member : takeJson(member, depthLeft - 1, budget);
    if (taken === REFUSED) return REFUSED;
    copy[key] = taken;
  }
  return Object.freeze(copy);
}

/** An object of this realm that nothing but its own members can be read of. */
function isRecord(value: object): value is Members {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
