import {
  type ClaimAnswer,
  type Facts,
  type GateAnswer,
  type Input,
  type Machine,
  type PermitAnswer,
  type Settlement,
  startMachine,
} from "../../src/machine/index.js";
import { definePolicy, type Effect, type ExecutionPolicyInput } from "../../src/policy/execution-policy.js";
import type { HaltCause } from "../../src/report/events.js";
import { aPlan } from "../support.js";

type VerdictOf<T extends Input["type"]> = Extract<Input, { type: T }> extends { verdict: infer V } ? V : never;

/** What each port may answer. A question that nobody answers in time is answered by the last of its list. */
export interface Answers {
  readonly key: readonly (string | undefined)[];
  readonly bulkhead: readonly VerdictOf<"bulkhead">[];
  readonly claim: readonly ClaimAnswer[];
  readonly gates: readonly GateAnswer[];
  readonly permit: readonly PermitAnswer[];
  readonly intent: readonly boolean[];
  readonly keyStart: readonly VerdictOf<"key_started">[];
  readonly switch: readonly VerdictOf<"switch">[];
  readonly reconcile: readonly VerdictOf<"reconciled">[];
  readonly retryBudget: readonly VerdictOf<"retry_budget">[];
  readonly record: readonly boolean[];
  readonly settlement: readonly Settlement[];
}

export const ANYTHING: Answers = {
  key: ["key", undefined],
  bulkhead: ["entered", "queued", "full", "unavailable"],
  claim: [
    { state: "claimed", token: 1 },
    { state: "completed" },
    { state: "in_progress" },
    { state: "conflict" },
    { state: "unknown" },
    { state: "unavailable" },
  ],
  gates: [
    { state: "allowed" },
    { state: "denied", code: "no" },
    { state: "denied", code: "later", retryAfterMs: 1 },
    { state: "unavailable" },
  ],
  permit: [
    { state: "granted" },
    { state: "refused", retryAfterMs: 1 },
    { state: "behind", retryAfterMs: 1 },
    { state: "unavailable" },
  ],
  intent: [true, false],
  keyStart: ["done", "stale", "unavailable"],
  switch: ["open", "halted", "unavailable"],
  reconcile: ["applied", "not_applied", "unknown"],
  retryBudget: ["granted", "exhausted", "unavailable"],
  record: [true, false],
  settlement: [
    { kind: "applied" },
    { kind: "not_applied", code: "busy", retryable: true, retryAfterMs: 0 },
    { kind: "not_applied", code: "refused", retryable: false, retryAfterMs: 0 },
    { kind: "not_applied", code: "later", retryable: true, retryAfterMs: 2, errorType: "NotAppliedError" },
    { kind: "threw", errorType: "TypeError" },
    { kind: "invalid" },
  ],
};

/** Every port does its part. */
export const ALL_WELL: Partial<Answers> = {
  key: ["key"],
  bulkhead: ["entered"],
  claim: [{ state: "claimed", token: 1 }],
  gates: [{ state: "allowed" }],
  permit: [{ state: "granted" }],
  intent: [true],
  keyStart: ["done"],
  switch: ["open"],
  record: [true],
};

/** A plan, a policy and a world whose every order of events is to be tried. */
export interface Scenario {
  readonly name: string;
  /** Effect classes of the plan's actions; `hold` for a HOLD. */
  readonly plan: readonly (Effect | "hold")[];
  readonly policy?: ExecutionPolicyInput;
  readonly facts?: Partial<Facts>;
  /** Replaces the menus of {@link ANYTHING}. */
  readonly answers?: Partial<Answers>;
  /** Any of these may come once, between any two inputs. */
  readonly halts?: readonly HaltCause[];
  /** How often the time may go past something that is due, before it happens. */
  readonly lags?: number;
  /** How often a timer may come a hair early. */
  readonly earlyTimers?: number;
  readonly listenerFails?: boolean;
  /** Time goes by single milliseconds, not to the next moment at which something is due. */
  readonly everyMs?: boolean;
  /** At every step, inputs that fit nowhere are tried as well. */
  readonly garbage?: boolean;
  /** Tells states apart by their whole history of times, not by what may follow. */
  readonly exact?: boolean;
}

/** Limits of a few milliseconds: few moments, and every bound comes into play. */
export const TIGHT: ExecutionPolicyInput = {
  retry: { maxRetries: 2, initialBackoffMs: 1, backoffMultiplier: 1, maxBackoffMs: 1, maxRetryAfterMs: 3 },
  timeout: { attemptTimeoutMs: 2, maxTotalTimeMs: 7, abortGraceMs: 1, portTimeoutMs: 2 },
};

/** The machine of a scenario, before its first input. */
export function machineOf({ plan, policy, facts }: Scenario): Machine {
  const defined = definePolicy({ ...TIGHT, ...policy });
  const actions = plan.map((effect) =>
    effect === "hold" ? { action: "HOLD" as const } : { action: "ACT" as const, effect },
  );
  return startMachine(aPlan({ actions }, defined), defined, {
    executionId: "exec-1",
    seed: "seed",
    startedAtMs: 1000,
    observed: true,
    ...facts,
  });
}

export function answersOf<K extends keyof Answers>({ answers }: Scenario, port: K): Answers[K] {
  return answers?.[port] ?? ANYTHING[port];
}
