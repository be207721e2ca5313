import { type Contestant, verify, type Work } from "../contest.ts";
import { frozenCopy } from "../floors/frozen-copy.ts";

/** What a planner hands over, with two actions in it. */
const aDecision = (turn: number) => ({
  action: "ACT",
  allowed: true,
  reasons: ["anomaly_signal", "within_limits"],
  actions: [
    { action: "CANCEL", id: "cancel-old", params: { order_id: "o-1881" }, effect: "idempotent" },
    {
      action: "ACT",
      id: "place-new",
      params: {
        "example:symbol": "ABC",
        quantity: 12,
        price: 101.25,
        tags: ["a", "b"],
        limits: { max: 5, soft: true },
      },
      idempotency_key: `run-${turn}:place-new`,
    },
  ],
  throttle_ms: 100,
  params: { "example:symbol": "ABC", note: "rebalance" },
});

const ACTIONS = new Set<unknown>(["HOLD", "ACT", "EXIT", "CANCEL", "STOP"]);
const isMembers = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);
const optional = (value: unknown, type: string) => value === undefined || typeof value === type;

/** Types only: no copy, no defaults, and nothing that is not plain is looked for. */
function isDecisionByHand(value: unknown): boolean {
  if (!isMembers(value)) return false;
  const { action, allowed, reasons, actions, throttle_ms, params } = value as Record<string, unknown>;
  if (!ACTIONS.has(action) || !optional(allowed, "boolean") || !optional(throttle_ms, "number")) return false;
  if (reasons !== undefined && !(Array.isArray(reasons) && reasons.every((text) => typeof text === "string")))
    return false;
  if (params !== undefined && !isMembers(params)) return false;
  return actions === undefined || (Array.isArray(actions) && actions.every(isItem));
}

function isItem(value: unknown): boolean {
  if (!isMembers(value)) return false;
  const { action, id, params, effect, idempotency_key } = value as Record<string, unknown>;
  return (
    ACTIONS.has(action) &&
    optional(id, "string") &&
    optional(effect, "string") &&
    optional(idempotency_key, "string") &&
    (params === undefined || isMembers(params))
  );
}

function checking(check: (decision: unknown) => boolean): Contestant {
  const decisions = Array.from({ length: 64 }, (_, turn) => aDecision(turn));
  verify(!check({ ...aDecision(0), action: "FLY" }) && !check(undefined), "a check");
  let turn = 0;
  return {
    run(count) {
      for (let i = 0; i < count; i++) verify(check(decisions[turn++ % 64]), "a check");
    },
  };
}

/** Reading a decision, which includes a frozen copy of it where EOC does it. */
export const validation: Work = {
  name: "validation",
  title: "Checking a decision of two actions",
  operation: "decision",
  floor: "check by hand",
  contestants: {
    "check by hand": () => checking(isDecisionByHand),
    "check and frozen copy by hand": () =>
      checking((decision) => isDecisionByHand(decision) && frozenCopy(decision) !== undefined),
    "EOC (checked, and copied frozen)": async () => {
      const { readDecision } = await import("@eoc/decision-schema/read");
      return checking((decision) => readDecision(decision).success);
    },
    "EOC's zod schema": async () => {
      const { FinalDecisionSchema } = await import("@eoc/decision-schema");
      return checking((decision) => FinalDecisionSchema.safeParse(decision).success);
    },
    "plain zod": async () => {
      const z = await import("zod");
      const members = z.record(z.string(), z.json()).nullish();
      const action = z.enum(["HOLD", "ACT", "EXIT", "CANCEL", "STOP"]);
      const text = z.string().min(1).max(256).nullish();
      const effect = z.enum(["once", "idempotent", "none"]).nullish();
      const item = z.looseObject({ action, id: text, params: members, effect, idempotency_key: text });
      const schema = z.looseObject({
        action,
        allowed: z.boolean().default(true),
        reasons: z.array(z.string()).default([]),
        actions: z.array(item).nullish(),
        throttle_ms: z.int().min(0).nullish(),
        cooldown_ms: z.int().min(0).nullish(),
        params: members,
      });
      return checking((decision) => schema.safeParse(decision).success);
    },
  },
  shows: [
    {
      show: 6,
      what: "decision check beside plain zod",
      value: (r) => r.ratio("EOC (checked, and copied frozen)", "plain zod"),
      atMost: 0.15,
    },
  ],
};
