import fc from "fast-check";
import type { Effect, ExecutionPolicyInput } from "../../src/index.js";
import type { Fault } from "./faulty-ports.js";

/** What one dispatch does, and what it says of it. */
export interface Behaviour {
  readonly says: "applied" | "not_applied" | "final" | "later" | "not_applied_error" | "throws" | "nonsense" | "never";
  /** The effect reaches the world although the executor does not say so. Never with an answer that denies it. */
  readonly applies: boolean;
  readonly afterMs: number;
  readonly obeysAbort: boolean;
  readonly meanwhile: "nothing" | "halt" | "cancel";
}

/** Shared slots, some of which are taken by others for a while. */
export interface RandomBulkhead {
  readonly limit: number;
  readonly queueLimit: number;
  readonly taken: number;
  /** A copy of the methods: nobody can wait in it without a driver of his own. */
  readonly copied?: boolean;
}

/** Three executions of one decision and everything that happens to them. */
export interface RandomCase {
  /** The first two run at once. */
  readonly together: boolean;
  readonly actions: readonly { readonly effect: Effect; readonly hold: boolean; readonly key?: string | undefined }[];
  readonly policy: ExecutionPolicyInput;
  readonly dispatches: readonly Behaviour[];
  readonly reconcile?: readonly Fault[] | undefined;
  readonly killSwitch?: readonly Fault[] | undefined;
  readonly rateLimiter: readonly Fault[];
  readonly store: { readonly [call in "claim" | "start" | "write"]: readonly Fault[] };
  readonly journal?: readonly Fault[] | undefined;
  readonly gate?: readonly (Fault | "deny" | "later")[] | undefined;
  readonly bulkhead?: RandomBulkhead | undefined;
  readonly retries?: number | undefined;
  readonly listener: "none" | "watches" | "throws" | "rejects";
  readonly haltAt?: number | undefined;
  readonly cancelAt?: number | undefined;
  readonly wallStepAt?: number | undefined;
  readonly throttleMs?: number | undefined;
  readonly approvalMs?: number | undefined;
  readonly pauseMs: number;
}

const some = <const T>(...values: readonly T[]) => fc.constantFrom(...values);
/** Absent so many times as often as it is there. */
const optional = <T>(arbitrary: fc.Arbitrary<T>, absent = 1) =>
  fc.oneof({ weight: absent, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });

const fault: fc.Arbitrary<Fault> = some(
  ...Array<"none">(20).fill("none"),
  "async",
  "async",
  "slow",
  "throws",
  "rejects",
  "hangs",
  "garbage",
  "lost",
);
const script = fc.array(fault, { maxLength: 5 });
/** What answers of a write may be: any that is not `false` means done, so that garbage would be a lie (S7.2). */
const writes = script.map((faults) => faults.map((fault) => (fault === "garbage" ? "lost" : fault)));
/** A limiter whose grant got lost keeps it: nobody could hand it back. */
const grants = script.map((faults) => faults.map((fault) => (fault === "lost" ? "slow" : fault)));

const behaviour: fc.Arbitrary<Behaviour> = fc.record({
  says: some("applied", "applied", "not_applied", "final", "later", "not_applied_error", "throws", "nonsense", "never"),
  applies: fc.boolean(),
  afterMs: some(0, 0, 1, 3, 9, 12, 25, 60),
  obeysAbort: fc.boolean(),
  meanwhile: some("nothing", "nothing", "nothing", "nothing", "nothing", "nothing", "nothing", "halt", "cancel"),
});

const policy: fc.Arbitrary<ExecutionPolicyInput> = fc.record({
  retry: fc.record({
    maxRetries: fc.nat(3),
    initialBackoffMs: some(0, 2, 5),
    maxBackoffMs: some(5, 20),
    jitter: some("none", "full", "equal"),
    maxRetryAfterMs: some(3, 50),
  }),
  timeout: fc.record({
    attemptTimeoutMs: some(0, 1, 10, 10, 20, 50),
    maxTotalTimeMs: some(0, 5, 40, 40, 100, 100, 300),
    abortGraceMs: some(0, 4),
    portTimeoutMs: some(1, 5, 15),
  }),
  idempotency: fc.record({
    enabled: fc.boolean(),
    leaseMs: some(3, 30, 1000),
    onInProgress: some("deny", "wait"),
  }),
  rateLimit: some(
    {},
    {},
    { global: { limit: 2, windowMs: 15 } },
    { global: { limit: 1, windowMs: 6 }, onExceeded: "deny" },
  ),
  maxConcurrency: fc.integer({ min: 1, max: 3 }),
  onFailure: some("stop", "continue"),
  onHalt: some("abort", "finish"),
});

const actions = fc
  .array(
    fc.record({
      effect: some("once", "idempotent", "none"),
      hold: some(false, false, false, false, true),
      own: fc.boolean(),
    }),
    {
      maxLength: 4,
    },
  )
  .map((list) => list.map(({ effect, hold, own }, i) => ({ effect, hold, key: own ? `key-${i}` : undefined })));

const anyCase: fc.Arbitrary<RandomCase> = fc.record({
  together: fc.boolean(),
  actions,
  policy,
  dispatches: fc.array(behaviour, { maxLength: 8 }),
  reconcile: optional(script),
  killSwitch: optional(script, 2),
  rateLimiter: grants,
  store: fc.record({ claim: script, start: writes, write: writes }),
  journal: optional(writes, 2),
  gate: optional(
    fc.array(fc.oneof({ weight: 4, arbitrary: fault }, { weight: 1, arbitrary: some("deny", "later") }), {
      maxLength: 5,
    }),
    2,
  ),
  bulkhead: optional(fc.record({ limit: some(1, 2), queueLimit: some(0, 5, 5), taken: some(0, 0, 1) })),
  retries: optional(fc.nat(3)),
  listener: some("none", "watches", "throws", "rejects"),
  haltAt: optional(fc.nat(60), 4),
  cancelAt: optional(fc.nat(60), 5),
  wallStepAt: optional(fc.nat(40), 3),
  throttleMs: optional(some(3, 30, 200), 8),
  approvalMs: optional(some(0, 15), 8),
  pauseMs: some(0, 10, 5000),
});

/**
 * Any executions at all, with most things going well most of the time. Those that run at once do not reconcile: what is
 * not applied may be so a moment later, when another execution's straggler has settled.
 */
export const randomCase = anyCase.map((random) => (random.together ? { ...random, reconcile: undefined } : random));

/** Executions that nobody observes, all slots taken when the first of them come. */
export const waitingCase = anyCase.map((random): RandomCase & { readonly bulkhead: RandomBulkhead } => {
  const { limit, queueLimit } = random.bulkhead ?? { limit: 1, queueLimit: 5 };
  return { ...random, listener: "none", journal: undefined, bulkhead: { limit, queueLimit, taken: limit } };
});

/**
 * Executions of one action, one after the other, in which no port has a say but the bulkhead and the signal, and which nobody
 * observes.
 */
export const plainCase = anyCase.map(
  (random): RandomCase => ({
    ...random,
    together: false,
    actions: [{ effect: "once", key: undefined, ...random.actions[0], hold: false }],
    policy: { ...random.policy, rateLimit: {}, idempotency: { enabled: false } },
    killSwitch: undefined,
    gate: undefined,
    retries: undefined,
    listener: "none",
    journal: undefined,
    throttleMs: undefined,
    approvalMs: undefined,
  }),
);
