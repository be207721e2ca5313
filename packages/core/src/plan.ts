import {
  type Action,
  type ActionItem,
  canonicalJson,
  type FinalDecision,
  type FinalDecisionInput,
  type ReadResult,
  readDecision,
  sha256Hex,
} from "@eoc/decision-schema/read";
import { EocError } from "./errors.js";
import {
  definePolicy,
  describeIssues,
  type Effect,
  type ExecutionPolicy,
  type ExecutionPolicyInput,
} from "./policy/execution-policy.js";

/** One action as it will be dispatched: a frozen copy, with its effect class settled. */
export interface PlannedAction {
  /** The action's own id, else `action-<index>`. */
  readonly id: string;
  /** Place in the plan, from 0. */
  readonly index: number;
  readonly action: Action;
  readonly params: Readonly<Record<string, unknown>>;
  readonly effect: Effect;
  /** The action's own key, where the decision gives one (S7.1). */
  readonly idempotencyKey?: string;
}

/** The frozen, ordered copy of a decision's actions. */
export interface ExecutionPlan {
  readonly actions: readonly PlannedAction[];
  /** SHA-256 over the RFC 8785 JSON of `actions`. Computed when first read. */
  readonly planHash: string;
}

/** Reads a decision to plan it. Unknown members are kept, but a key by another name, or at another place, would be no key. */
export function readToPlan(decision: unknown): ReadResult<FinalDecision> {
  const read = readDecision(decision);
  if (!read.success) return read;
  const { actions } = read.data;
  if (actions == null) {
    const path = ["idempotency_key", "idempotencyKey"].find((name) => read.data[name] != null);
    if (path === undefined) return read;
    return { success: false, issues: [{ path, expected: "a member of an action: actions[0].idempotency_key" }] };
  }
  const index = actions.findIndex(({ idempotencyKey }) => idempotencyKey !== undefined);
  if (index < 0) return read;
  return { success: false, issues: [{ path: `actions[${index}].idempotencyKey`, expected: "idempotency_key" }] };
}

/**
 * The plan of a decision under a policy (S1.3, S1.4, S3.2), as `execute` makes it. Pure.
 * @throws EocError `invalid_decision`, and as {@link definePolicy} does
 */
export function planExecution(
  decision: FinalDecisionInput,
  policy: ExecutionPolicy | ExecutionPolicyInput,
): ExecutionPlan {
  const read = readToPlan(decision);
  if (!read.success) {
    const { issues } = read;
    throw new EocError("invalid_decision", describeIssues("decision", issues), { issues });
  }
  const plan = planOf(read.data, definePolicy(policy));
  Object.freeze(plan.actions);
  return plan;
}

/** The same of a decision that is a frozen copy already, for those who change no list. */
export function planOf(decision: FinalDecision, { defaultEffect }: ExecutionPolicy): ExecutionPlan {
  const items = itemsOf(decision);
  const actions = new Array<PlannedAction>(items.length);
  for (let index = 0; index < items.length; index++) {
    actions[index] = plannedAction(items[index]!, index, defaultEffect);
  }
  return new FrozenPlan(actions);
}

/** The only action of the plan of a decision that has no other. */
export function onlyActionOf(decision: FinalDecision, { defaultEffect }: ExecutionPolicy): PlannedAction {
  return plannedAction(itemsOf(decision)[0]!, 0, defaultEffect);
}

export function planOfOne(action: PlannedAction): ExecutionPlan {
  return new FrozenPlan([action]);
}

function itemsOf({ actions, action, params }: FinalDecision): readonly ActionItem[] {
  return actions ?? [{ action, params }];
}

function plannedAction(
  { id, action, params, effect, idempotency_key: key }: ActionItem,
  index: number,
  defaultEffect: Effect,
): PlannedAction {
  const planned = {
    id: id ?? (index === 0 ? FIRST_ID : `action-${index}`),
    index,
    action,
    params: params ?? NO_PARAMS,
    effect: effect ?? defaultEffect,
  };
  return Object.freeze(key == null ? planned : { ...planned, idempotencyKey: key });
}

/** Most actions are the first of their plan and have no id: they share the text. */
const FIRST_ID = "action-0";

const NO_PARAMS = Object.freeze({});

class FrozenPlan implements ExecutionPlan {
  readonly actions: readonly PlannedAction[];
  #hash: string | undefined;

  constructor(actions: readonly PlannedAction[]) {
    this.actions = actions;
  }

  get planHash(): string {
    this.#hash ??= sha256Hex(canonicalList(this.actions));
    return this.#hash;
  }
}

function canonicalList(actions: readonly PlannedAction[]): string {
  let text = "";
  for (const action of actions) text += `${text === "" ? "" : ","}${canonicalText(action)}`;
  return `[${text}]`;
}

/** What `canonicalJson` says of an action: its members in order, of which only one holds more to be put in order. */
function canonicalText({ action, effect, id, idempotencyKey, index, params }: PlannedAction): string {
  const key = idempotencyKey === undefined ? "" : `"idempotencyKey":${JSON.stringify(idempotencyKey)},`;
  const text = canonicalParams(params);
  return `{"action":"${action}","effect":"${effect}","id":${JSON.stringify(id)},${key}"index":${index},"params":${text}}`;
}

/** What `canonicalJson` says of a planned action's params. */
export function canonicalParams(params: PlannedAction["params"]): string {
  return params === NO_PARAMS ? "{}" : canonicalJson(params);
}

/** The plan of what could not be read. */
export function emptyPlan(): ExecutionPlan {
  return new FrozenPlan(Object.freeze([]));
}
