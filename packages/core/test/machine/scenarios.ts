import type { Effect, ExecutionPolicyInput } from "../../src/policy/execution-policy.js";
import { DEEP } from "./depth.js";
import { ALL_WELL, ANYTHING, type Answers, type Scenario, TIGHT } from "./scenario.js";

const EFFECTS: readonly Effect[] = ["once", "idempotent", "none"];
const BOTH = [false, true];

/** The policy of {@link TIGHT} with so many retries. */
function retrying(maxRetries: number): Pick<ExecutionPolicyInput, "retry"> {
  return { retry: { ...TIGHT.retry, maxRetries } };
}

const LIMITED: ExecutionPolicyInput = { rateLimit: { global: { limit: 1, windowMs: 5 } } };
const KEYED: ExecutionPolicyInput = { idempotency: { enabled: true, onInProgress: "wait" } };

/** Less time, so that the shorter runs are short. */
const BRIEF: Pick<ExecutionPolicyInput, "timeout"> = DEEP
  ? {}
  : { timeout: { ...TIGHT.timeout, maxTotalTimeMs: 5, portTimeoutMs: 1 } };

/** What may be said, reduced to what makes a difference between two actions. */
const FEW_ANSWERS = {
  settlement: ANYTHING.settlement.filter(
    (said) => said.kind !== "invalid" && (!("code" in said) || said.code === "busy"),
  ),
  claim: ANYTHING.claim.filter(({ state }) => state === "claimed"),
  record: [true],
};

/** The executor either says that it was applied, or nothing of use. */
const SAID_OR_NOT: Answers["settlement"] = [{ kind: "applied" }, { kind: "threw", errorType: "TypeError" }];

/** One action, up to three attempts, nobody but the executor and reconcile to be asked. */
export const SINGLES: readonly Scenario[] = EFFECTS.flatMap((effect) =>
  BOTH.flatMap((canReconcile) => {
    const name = `${effect}${canReconcile ? ", reconcile" : ""}`;
    const basic: Scenario = { name, plan: [effect], facts: { canReconcile }, halts: ["kill_switch", "cancelled"] };
    const lags = DEEP ? 2 : 0;
    const late: Scenario = { ...basic, name: `${name}, lag`, halts: ["cancelled"], lags: 1, earlyTimers: 1 };
    return [
      { ...basic, lags, everyMs: DEEP },
      { ...basic, name: `${name}, onHalt finish`, policy: { onHalt: "finish" as const }, lags },
      { ...basic, name: `${name}, no events`, facts: { canReconcile, observed: false } },
      ...(canReconcile && !DEEP ? [] : [{ ...late, policy: retrying(DEEP ? 2 : 1), exact: DEEP }]),
    ];
  }),
);

/** One action and one port that may answer anything. */
const PORTS: readonly Scenario[] = [
  { name: "kill switch", plan: ["none"], facts: { hasKillSwitch: true } },
  { name: "gates", plan: ["none"], facts: { hasGates: true } },
  { name: "rate limit, wait", plan: ["idempotent"], policy: LIMITED },
  { name: "rate limit, deny", plan: ["none"], policy: { rateLimit: { ...LIMITED.rateLimit, onExceeded: "deny" } } },
  { name: "bulkhead", plan: ["idempotent"], facts: { hasBulkhead: true } },
  { name: "retry budget", plan: ["none"], facts: { hasRetryBudget: true } },
  { name: "keys of once", plan: ["once"], policy: KEYED, facts: { canReconcile: true } },
  { name: "keys of idempotent", plan: ["idempotent"], policy: KEYED },
  { name: "keys of none, deny", plan: ["none"], policy: { idempotency: { enabled: true } } },
  {
    name: "keys of once, onUnknown retry",
    plan: ["once"],
    policy: { idempotency: { enabled: true, onUnknown: "retry" } },
  },
  { name: "throttle", plan: ["idempotent"], facts: { throttleMs: 3 } },
  { name: "throttle past the deadline", plan: ["once"], facts: { throttleMs: 9 } },
  { name: "approval", plan: ["none"], facts: { approval: { matches: true, expiresAtMs: 1003 } } },
  { name: "approval of something else", plan: ["none"], facts: { approval: { matches: false } } },
  { name: "a listener that fails", plan: ["once"], listenerFails: true },
  {
    name: "denied before the start",
    plan: ["once", "hold"],
    facts: { verdict: { status: "denied", reason: "missing_port" } },
  },
  { name: "nothing to do", plan: [], facts: { verdict: { status: "skipped", reason: "no_actions" } } },
];

/** Every port at once. */
const ALL_PORTS: Scenario = {
  name: "all ports",
  plan: ["once"],
  policy: { ...BRIEF, ...LIMITED, ...KEYED, ...retrying(1) },
  facts: {
    hasKillSwitch: true,
    hasGates: true,
    hasBulkhead: true,
    hasRetryBudget: true,
    canReconcile: true,
  },
};

export const PORT_BY_PORT: readonly Scenario[] = [
  ...PORTS.map((scenario) => ({
    ...scenario,
    policy: { ...BRIEF, ...retrying(DEEP ? 2 : 1), ...scenario.policy },
    halts: ["cancelled" as const],
    lags: DEEP ? 1 : 0,
  })),
  ALL_PORTS,
  ...(DEEP
    ? [
        {
          ...ALL_PORTS,
          name: "all ports, idempotent",
          plan: ["idempotent" as const],
          halts: ["cancelled" as const],
          lags: 1,
        },
      ]
    : []),
];

const EFFECT_PAIRS: readonly (readonly Effect[])[] = DEEP
  ? EFFECTS.flatMap((first) => EFFECTS.map((second) => [first, second]))
  : [["once", "idempotent"]];

/** Two actions, nobody but the executor to be asked. */
export const PAIRS: readonly Scenario[] = (["stop", "continue"] as const).flatMap((onFailure) =>
  [1, 2].flatMap((maxConcurrency) =>
    EFFECT_PAIRS.map((plan) => ({
      name: `${plan.join(" and ")}, ${onFailure}, ${maxConcurrency} at a time`,
      plan,
      policy: { ...retrying(DEEP ? 2 : 1), onFailure, maxConcurrency },
      halts: ["kill_switch" as const],
      answers: { intent: [true], ...(DEEP ? undefined : { settlement: FEW_ANSWERS.settlement }) },
    })),
  ),
);

/** Two actions at a time and a port that both use. */
const SHARED: readonly Scenario[] = [
  { name: "kill switch", plan: ["once", "none"], facts: { hasKillSwitch: true } },
  { name: "gates", plan: ["once", "none"], facts: { hasGates: true } },
  { name: "rate limit", plan: ["once", "idempotent"], policy: LIMITED },
  { name: "bulkhead", plan: ["once", "idempotent"], facts: { hasBulkhead: true } },
  { name: "retry budget", plan: ["none", "none"], facts: { hasRetryBudget: true } },
  { name: "reconcile", plan: ["once", "idempotent"], facts: { canReconcile: true } },
  { name: "keys", plan: ["once", "idempotent"], policy: KEYED, answers: { settlement: SAID_OR_NOT } },
  {
    name: "keys and a throttle",
    plan: ["once", "once"],
    policy: KEYED,
    facts: { throttleMs: 3 },
    answers: { settlement: [{ kind: "applied" }] },
  },
  { name: "HOLD between", plan: ["once", "hold", "idempotent"] },
];

/** Under both policies of failure only in the deep runs. */
const LENGTHY = new Set(["reconcile", "keys"]);

export const PAIRS_WITH_PORTS: readonly Scenario[] = (["stop", "continue"] as const).flatMap((onFailure) =>
  SHARED.filter(({ name }) => DEEP || onFailure === "stop" || !LENGTHY.has(name)).map((scenario) => ({
    ...scenario,
    name: `${scenario.name}, ${onFailure}`,
    policy: { ...BRIEF, ...retrying(DEEP ? 1 : 0), ...scenario.policy, onFailure, maxConcurrency: 2 },
    halts: ["cancelled" as const],
    answers: {
      intent: [true],
      key: ["key"],
      ...(DEEP ? undefined : FEW_ANSWERS),
      ...scenario.answers,
    },
  })),
);

const SMALL = { ...retrying(0), timeout: { ...TIGHT.timeout, maxTotalTimeMs: 4 } };

/** At every state of these, inputs that fit nowhere are tried as well. */
export const MISLED: readonly Scenario[] = [
  { name: "once, reconcile", plan: ["once" as const], policy: SMALL, facts: { canReconcile: true }, lags: 1 },
  { name: "idempotent", plan: ["idempotent" as const], policy: retrying(1) },
  { ...ALL_PORTS, name: "all ports, all well", policy: { ...ALL_PORTS.policy, ...SMALL }, answers: ALL_WELL },
  { name: "bulkhead", plan: ["none" as const], policy: SMALL, facts: { hasBulkhead: true } },
  { name: "keys", plan: ["once" as const], policy: { ...KEYED, ...SMALL }, answers: { settlement: SAID_OR_NOT } },
  {
    name: "two",
    plan: ["once" as const, "none" as const],
    policy: { ...SMALL, maxConcurrency: 2 },
    answers: { settlement: SAID_OR_NOT },
  },
  ...(DEEP ? [...SINGLES.filter(({ exact }) => !exact), ...PORT_BY_PORT] : []),
].map((scenario) => ({ ...scenario, halts: ["kill_switch"], garbage: true }));
