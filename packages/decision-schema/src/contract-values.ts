/** The names in a decision's `action`. */
export const ACTIONS = ["HOLD", "ACT", "EXIT", "CANCEL", "STOP"] as const;

/** The names in an action's `effect`. */
export const EFFECTS = ["once", "idempotent", "none"] as const;

/** How long an id may be, in code points. */
export const MAX_ID_LENGTH = 256;

/** The keys that the contract names in a decision, in its order. */
export const DECISION_KEYS: ReadonlySet<string> = /* @__PURE__ */ new Set([
  "action",
  "allowed",
  "reasons",
  "actions",
  "mismatch",
  "throttle_ms",
  "cooldown_ms",
  "params",
]);

/** Those in one of its actions. */
export const ACTION_KEYS: ReadonlySet<string> = /* @__PURE__ */ new Set([
  "action",
  "id",
  "params",
  "effect",
  "idempotency_key",
]);

/** Those in its mismatch. */
export const MISMATCH_KEYS: ReadonlySet<string> = /* @__PURE__ */ new Set([
  "flags",
  "reason_codes",
  "throttle_refresh_ms",
  "metadata",
]);

/** Those in a context that must be numbers. */
export const CONTEXT_KEYS: ReadonlySet<string> = /* @__PURE__ */ new Set(["now_ms", "ops_cooldown_until_ms"]);

const DEFAULT_ID = /^action-(0|[1-9]\d{0,8})$/;

/**
 * Whether the id of the action at `index` is the one that another action has by default, being without any: `action-<its index>`.
 * @param isNameless whether there is an action at an index, without an id
 */
export function isDefaultIdOfAnother(id: string, index: number, isNameless: (index: number) => boolean): boolean {
  const [, digits] = id.startsWith("action-") ? (DEFAULT_ID.exec(id) ?? []) : [];
  return digits !== undefined && Number(digits) !== index && isNameless(Number(digits));
}
