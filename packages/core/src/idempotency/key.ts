import { canonicalJson, type ExecutionContext, isVolatileContextKey, sha256Hex } from "@eoc/decision-schema/read";
import { canonicalParams, type PlannedAction } from "../plan.js";

/**
 * The default key, `action+context_hash` (S7.1): the action with its id, or its place in the plan, and the context
 * without volatile keys. The same decision executed again has the same keys; two equal actions of one plan have two.
 */
export function deriveKey(action: PlannedAction, context: Readonly<ExecutionContext>): string {
  const lasting: Record<string, unknown> = {};
  for (const key of Object.keys(context)) if (!isVolatileContextKey(key)) define(lasting, key, context[key]);
  const { action: name, id, params } = action;
  const text = `"context":${canonicalJson(lasting)},"id":${JSON.stringify(id)},"params":${canonicalParams(params)}`;
  return sha256Hex(`{"action":"${name}",${text}}`);
}

/** Digest of what the action does: the same key with another fingerprint is a conflict (S7.2). */
export function fingerprintOf({ action, params }: PlannedAction): string {
  return sha256Hex(`{"action":"${action}","params":${canonicalParams(params)}}`);
}

function define(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__") Object.defineProperty(target, key, { value, enumerable: true });
  else target[key] = value;
}
