import {
  createManualKillSwitch,
  createMemoryIdempotencyStore,
  createMemoryRateLimiter,
  createRetryBudget,
  type ExecutionPolicyInput,
  type Executor,
  type FinalDecisionInput,
  NotAppliedError,
} from "@eoc/core";
import type { VirtualClock } from "@eoc/testkit";
import fc from "fast-check";
import type { DurablePorts } from "../src/options.js";

/** What an executor does with one dispatch. */
export interface Turn {
  readonly does: "succeed" | "reject" | "refuse" | "not_applied" | "throw" | "hang" | "nonsense";
  /** 0 answers at once, without a promise. */
  readonly afterMs: number;
  readonly ignoresAbort: boolean;
}

export interface Scenario {
  readonly actions: readonly { effect: "once" | "idempotent" | "none"; hold: boolean; turns: readonly Turn[] }[];
  readonly policy: ExecutionPolicyInput;
  readonly reconciles: "applied" | "not_applied" | "unknown" | undefined;
  /** When the kill switch is thrown, if at all: never at the very moment of something else. */
  readonly haltAtMs: number | undefined;
  readonly with: { store: boolean; limiter: boolean; gate: "open" | "later" | "shut" | undefined; budget: boolean };
  readonly throttleMs: number;
}

const aTurn = fc.record<Turn>({
  does: fc.constantFrom("succeed", "succeed", "reject", "refuse", "not_applied", "throw", "hang", "nonsense"),
  afterMs: fc.constantFrom(0, 1, 30, 700),
  ignoresAbort: fc.boolean(),
});

/** Everything that may happen to an execution of which no process dies. */
export const aScenario: fc.Arbitrary<Scenario> = fc.record<Scenario>({
  actions: fc.array(
    fc.record({
      effect: fc.constantFrom("once", "idempotent", "none"),
      hold: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
      turns: fc.array(aTurn, { minLength: 1, maxLength: 3 }),
    }),
    { maxLength: 4 },
  ),
  policy: fc.record({
    retry: fc.record({
      maxRetries: fc.integer({ min: 0, max: 2 }),
      initialBackoffMs: fc.constantFrom(0, 10, 400),
      jitter: fc.constantFrom("none" as const, "full" as const),
    }),
    timeout: fc.record({
      attemptTimeoutMs: fc.constantFrom(50, 500),
      maxTotalTimeMs: fc.constantFrom(900, 5000),
      abortGraceMs: fc.constantFrom(0, 100),
    }),
    onFailure: fc.constantFrom("stop" as const, "continue" as const),
    onHalt: fc.constantFrom("abort" as const, "finish" as const),
  }),
  reconciles: fc.constantFrom(undefined, "applied", "not_applied", "unknown"),
  haltAtMs: fc.constantFrom(undefined, undefined, 5.5, 333.5),
  with: fc.record({
    store: fc.boolean(),
    limiter: fc.boolean(),
    gate: fc.constantFrom(undefined, "open", "later", "shut"),
    budget: fc.boolean(),
  }),
  throttleMs: fc.constantFrom(0, 0, 20),
});

export function decisionOf({ actions, throttleMs }: Scenario): FinalDecisionInput {
  return {
    action: "ACT",
    actions: actions.map(({ effect, hold }, i) => ({ action: hold ? "HOLD" : "ACT", id: `a-${i}`, effect })),
    ...(throttleMs > 0 ? { throttle_ms: throttleMs } : undefined),
  };
}

export function policyOf(scenario: Scenario): ExecutionPolicyInput {
  return {
    ...scenario.policy,
    ...(scenario.with.store ? { idempotency: { enabled: true } } : undefined),
    ...(scenario.with.limiter ? { rateLimit: { global: { limit: 1, windowMs: 200 } } } : undefined),
  };
}

export function portsOf(scenario: Scenario, clock: VirtualClock): DurablePorts {
  const killSwitch = createManualKillSwitch();
  const { store, limiter, gate, budget } = scenario.with;
  if (scenario.haltAtMs !== undefined) clock.setTimer(() => killSwitch.halt(), scenario.haltAtMs);
  let asked = 0;
  return {
    killSwitch,
    ...(store ? { idempotencyStore: createMemoryIdempotencyStore({ clock }) } : undefined),
    ...(limiter ? { rateLimiter: createMemoryRateLimiter() } : undefined),
    ...(budget ? { retryBudget: createRetryBudget({ capacity: 1, refillPerSuccess: 1 }) } : undefined),
    ...(gate === undefined
      ? undefined
      : {
          gates: [
            () => {
              if (gate === "open" || (gate === "later" && asked++ > 0)) return { allow: true as const };
              return { allow: false as const, code: "shut", ...(gate === "later" ? { retryAfterMs: 15 } : undefined) };
            },
          ],
        }),
  };
}

/** `begun` is told of every call, before anything else. */
export function executorOf(
  scenario: Scenario,
  clock: VirtualClock,
  begun: (action: number, attempt: number) => void = () => {},
): Executor {
  return {
    execute: (action, { attempt, signal, actionIndex }) => {
      begun(actionIndex, attempt);
      const { turns } = scenario.actions[actionIndex]!;
      const turn = turns[Math.min(attempt, turns.length - 1)]!;
      const answer = () => {
        switch (turn.does) {
          case "succeed":
            return { ok: true as const, value: action.id };
          case "reject":
            return { ok: false as const, code: "rejected", retryAfterMs: 25 };
          case "refuse":
            return { ok: false as const, code: "refused", retryable: false };
          case "not_applied":
            throw new NotAppliedError("not_applied");
          case "throw":
            throw new TypeError("secret");
          default:
            return "nonsense" as never;
        }
      };
      if (turn.does !== "hang" && turn.afterMs === 0) return answer();
      return new Promise((resolve, reject) => {
        const stop = turn.does === "hang" ? () => {} : clock.setTimer(() => settle(answer), turn.afterMs);
        const settle = (of: () => never | ReturnType<typeof answer>) => {
          try {
            resolve(of());
          } catch (error) {
            reject(error);
          }
        };
        if (!turn.ignoresAbort) {
          signal.addEventListener("abort", () => {
            stop();
            reject(signal.reason);
          });
        }
      });
    },
    ...(scenario.reconciles === undefined
      ? undefined
      : { reconcile: () => Promise.resolve({ state: scenario.reconciles! }) }),
  };
}
