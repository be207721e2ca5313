/** One row of docs/GUARANTEES.md. */
export interface Guarantee {
  /** The clause, stable for ever: tests cite it. */
  readonly clause: string;
  readonly when: string;
  readonly does: string;
  readonly promisesNot: string;
  /** `file > describe > it`, as the file spells it. At least one of them, or its `describe`, cites the clause. */
  readonly tests: readonly string[];
}

const at = (folder: string, names: Record<string, readonly string[]>): string[] =>
  Object.entries(names).flatMap(([file, tests]) => tests.map((test) => `${folder}/${file} > ${test}`));
const core = (names: Record<string, readonly string[]>) => at("packages/core/test", names);

/** The sections of the page, in order. */
export const SECTIONS: Record<string, string> = {
  S1: "Inputs",
  S2: "Kill switch",
  S3: "Outcomes and retries",
  S4: "Time and bounds",
  S5: "Order and concurrency",
  S6: "Rate limits",
  S7: "Idempotency",
  S8: "Journal and events",
  S9: "Secrets",
  S10: "The report",
};

/** How many clauses each section has: a clause without a row fails the check. */
export const CLAUSES: Record<string, number> = { S1: 8, S2: 4, S3: 10, S4: 8, S5: 5, S6: 4, S7: 6, S8: 4, S9: 3 };

export const GUARANTEES: readonly Guarantee[] = [
  {
    clause: "S1.1",
    when: "any argument of `execute` is wrong, throws when it is read, or the clock fails",
    does: "resolves with a report; never throws, never rejects",
    promisesNot: "to survive the end of the process: the journal is for that",
    tests: core({
      "execute/inputs.test.ts": [
        "S1.1 execute never rejects > whatever argument … throws when it is read",
        "S1.1 execute never rejects > nor when the clock fails on the way: what was dispatched is unknown",
      ],
    }),
  },
  {
    clause: "S1.2",
    when: "decision, context, policy or executor is invalid",
    does: "reports `denied`, `failClosed`, with `issues` that name path and reason; dispatches nothing",
    promisesNot: "to guess what was meant",
    tests: core({
      "execute/inputs.test.ts": [
        "S1.2 refused input > …: a denied report that names the place, and no dispatch",
        "S1.2 refused input > is emitted as events like any other execution",
        "S1.2 refused input > never shows the value that was refused",
      ],
    }),
  },
  {
    clause: "S1.3",
    when: "the caller, the executor or a listener changes its objects later",
    does: "dispatches the frozen copy that was made at the start",
    promisesNot: "anything about `params` that are changed before the call",
    tests: core({
      "execute/inputs.test.ts": [
        "S1.3 the caller's objects > are neither changed nor read again after the plan is made",
      ],
    }),
  },
  {
    clause: "S1.4",
    when: "the decision has a list of actions, none, or an empty one",
    does: "runs the list in order; without one, `action` with `params`; an empty list is `skipped` (`no_actions`)",
    promisesNot: "that a plan is applied as a whole: there is no transaction and no roll-back",
    tests: core({
      "execute/inputs.test.ts": [
        "S1.4 the plan > is the list of actions, in order",
        "S1.4 the plan > is the one action with its params when there is no list",
        "S1.4 the plan > is skipped when the list is empty",
      ],
    }),
  },
  {
    clause: "S1.5",
    when: "an action is `HOLD`",
    does: "never dispatches it: `skipped` (`hold`)",
    promisesNot: "",
    tests: core({
      "execute/inputs.test.ts": [
        "what is not executed > S1.5 HOLD is skipped and counts only when there is nothing else",
      ],
    }),
  },
  {
    clause: "S1.6",
    when: "`allowed` is not `true`",
    does: "dispatches nothing: `skipped` (`not_allowed`); what is no boolean is refused",
    promisesNot: "to know who allowed it: that is the approval's part (S1.8)",
    tests: [
      ...core({ "execute/inputs.test.ts": ["what is not executed > S1.6 a decision that is not allowed is skipped"] }),
      "packages/decision-schema/test/schemas.test.ts > FinalDecisionSchema > S1.6 refuses %j for allowed",
    ],
  },
  {
    clause: "S1.7",
    when: "the decision has `throttle_ms` or `cooldown_ms`",
    does: "delays the first dispatch, within the deadline; reports `cooldownUntilMs`",
    promisesNot: "to keep the cooldown: the next decision is yours",
    tests: core({
      "execute/inputs.test.ts": [
        "S1.7 throttle and cooldown > delays the first dispatch, and no other",
        "S1.7 throttle and cooldown > is bounded by the deadline",
        "S1.7 throttle and cooldown > reports the end of the cooldown",
      ],
    }),
  },
  {
    clause: "S1.8",
    when: "an `approval` is given, and the decision is another one, or it has expired",
    does: "denies immediately before the dispatch, after all waiting: `approval_mismatch`, `approval_expired`",
    promisesNot:
      "to authenticate who approved; to look at anything beyond the decision; to take an approval once only, which keys are for",
    tests: core({
      "execute/inputs.test.ts": [
        "S1.8 approval > denies what is not what was approved",
        "S1.8 approval > is checked after all waiting, by the wall clock",
        "S1.8 approval > has expired when the wall clock steps past its end",
        "S1.8 approval > leaves the status of what was dispatched as it is known",
      ],
    }),
  },
  {
    clause: "S2.1",
    when: 'the context says `ops_deny_actions`, `ops_state: "RED"` or a running `ops_cooldown_until_ms`',
    does: "denies (`kill_switch`), before `allowed` is looked at; not fail-closed",
    promisesNot: "to see what changes after the snapshot: that is the live switch's part",
    tests: core({
      "policy/ops-signal.test.ts": [
        "S2.1 the ops signal in a context > denies on …",
        "S2.1 the ops signal in a context > allows on …",
      ],
      "execute/inputs.test.ts": ["what is not executed > S2.1 the context's kill switch beats `allowed: false`"],
    }),
  },
  {
    clause: "S2.2",
    when: "a live kill switch halts before a dispatch or during any wait",
    does: "dispatches nothing more in this execution, even if the switch flips back",
    promisesNot: "to stop executions that were not given the switch",
    tests: core({
      "execute/kill-switch.test.ts": [
        "S2.2 a live kill switch > is read before every dispatch",
        "S2.2 a live kill switch > stops for good, even if it flips back",
        "S2.2 a live kill switch > is obeyed at once during …",
      ],
    }),
  },
  {
    clause: "S2.3",
    when: "the kill switch throws, rejects, hangs or answers nonsense",
    does: "denies: `kill_switch_unavailable`, `failClosed`; it is read again for the next action",
    promisesNot: "to go on without a switch that you asked for",
    tests: core({
      "execute/kill-switch.test.ts": [
        "S2.3 a kill switch that cannot be read > denies its own action, fail-closed, and is read again for the next: …",
        "S2.3 a kill switch that cannot be read > has its own time limit",
      ],
    }),
  },
  {
    clause: "S2.4",
    when: "the switch halts while an action is in flight",
    does: "aborts its signal (or lets it finish, by `onHalt`), retries nothing, reports what is known, else `unknown`, and the latency of the halt",
    promisesNot: "to stop an executor that ignores its signal, or to undo an effect",
    tests: core({
      "execute/kill-switch.test.ts": [
        "S2.4 a halt in flight > aborts the attempt, and its outcome is what is known: unknown",
        "S2.4 a halt in flight > gives up after the grace, and says how long the halt took",
        'S2.4 a halt in flight > lets it finish under onHalt "finish"',
      ],
    }),
  },
  {
    clause: "S3.1",
    when: "the executor answers, throws, times out, or returns something else",
    does: "takes `ok: true` for applied and `ok: false` for not applied; everything else is `unknown`",
    promisesNot: "to find out that an executor lies",
    tests: core({
      "execute/outcomes.test.ts": [
        "S3.1 what the executor says decides what may follow > …, effect …: …",
        "S3.1 what the executor says decides what may follow > takes non-errors, hostile errors and synchronous throws for unknown",
      ],
    }),
  },
  {
    clause: "S3.2",
    when: "an outcome is unknown and the action is `once` (the default)",
    does: "never dispatches it again; `idempotent` and `none` are retried within the policy",
    promisesNot: "that the effect happened, or that it did not",
    tests: [
      ...core({
        "execute/outcomes.test.ts": [
          "S3.1 what the executor says decides what may follow > …, effect …: …",
          "S3.2 the effect class > is the action's own, else the policy's, else once",
        ],
      }),
      "packages/adapter-http/test/with-core.test.ts > execute over HTTP > S3.1 S3.2 dispatches a once action no second time when the reply was dropped",
    ],
  },
  {
    clause: "S3.3",
    when: "an outcome is unknown and the executor has `reconcile`",
    does: "asks: `applied` is a success, `not_applied` allows a retry, anything else stays unknown",
    promisesNot: "that the outside world's answer is right",
    tests: core({
      "execute/outcomes.test.ts": [
        "S3.3 reconcile > turns an unknown outcome into a success when the world says so",
        "S3.3 reconcile > allows the next attempt when the world says that nothing was applied",
        "S3.3 reconcile > leaves the outcome unknown when it …",
        "S3.3 reconcile > is bounded by the remaining time",
      ],
    }),
  },
  {
    clause: "S3.4",
    when: "an action fails again and again",
    does: "dispatches it `1 + maxRetries` times at most",
    promisesNot: "a bound on retries that the executor or its client makes by itself",
    tests: core({
      "execute/outcomes.test.ts": ["S3.4 to S3.8 retries > S3.4 dispatches at most 1 + maxRetries times"],
      "policy/bounds.test.ts": ["explainPolicy > is never exceeded, by any policy, plan and executor"],
    }),
  },
  {
    clause: "S3.5",
    when: "a retry follows",
    does: "waits by the policy, at least `retryAfterMs`, never above the caps; jitter comes from the seed",
    promisesNot: "an early retry",
    tests: core({
      "execute/outcomes.test.ts": [
        "S3.4 to S3.8 retries > S3.5 backs off by the policy",
        "S3.4 to S3.8 retries > S3.5 takes retryAfterMs as a lower bound",
        "S3.4 to S3.8 retries > S3.5 stops when retryAfterMs is over its limit, or not a time",
      ],
      "policy/backoff.test.ts": ["backoffMs (S3.5) > never exceeds the cap, is never negative and never NaN"],
    }),
  },
  {
    clause: "S3.6",
    when: "the next dispatch would start at or after the deadline",
    does: "stops at once, without sleeping: `deadline_exceeded`",
    promisesNot: "to use up the time that is left",
    tests: core({
      "execute/outcomes.test.ts": [
        "S3.4 to S3.8 retries > S3.6 does not sleep towards a dispatch that would start at or after the deadline",
      ],
    }),
  },
  {
    clause: "S3.7",
    when: "a shared retry budget is spent",
    does: "stops before sleeping: `retry_budget_exhausted`; a budget that fails denies",
    promisesNot: "a budget across processes",
    tests: core({
      "execute/outcomes.test.ts": [
        "S3.4 to S3.8 retries > S3.7 stops when the retry budget is spent, before sleeping",
        "S3.4 to S3.8 retries > S3.7 stops, fail-closed, when the budget fails",
      ],
    }),
  },
  {
    clause: "S3.8",
    when: "an action ends",
    does: "gives one reason of a closed list ([codes](codes.md))",
    promisesNot: "that the executor's own `errorCode` is of any list",
    tests: [
      "packages/trace/test/explain.test.ts > explainReport > S3.8 has a sentence for every reason",
      ...core({
        "machine/executions.test.ts": [
          "execute, whatever executors, ports, listeners and people do > keeps S1–S10, seen from outside",
        ],
      }),
    ],
  },
  {
    clause: "S3.9",
    when: "one attempt stayed unknown, and a later one failed",
    does: "calls the action `unknown` (one that only reads: `failed`)",
    promisesNot: "",
    tests: core({
      "execute/outcomes.test.ts": [
        "S3.4 to S3.8 retries > S3.9 an attempt that stayed unknown makes the action unknown, whatever the last one said",
      ],
    }),
  },
  {
    clause: "S3.10",
    when: "an action was never dispatched",
    does: "calls it `skipped` when the decision or plan says so, `denied` when a gate, bound, port or person does",
    promisesNot: "",
    tests: core({
      "machine/executions.test.ts": [
        "execute, whatever executors, ports, listeners and people do > keeps S1–S10, seen from outside",
      ],
      "execute/time.test.ts": ["S4.4 true concurrency > denies at the deadline what never got a slot"],
    }),
  },
  {
    clause: "S4.1",
    when: "every executor and port hangs and every listener throws",
    does: "settles within `maxTotalTimeMs + abortGraceMs + portTimeoutMs`",
    promisesNot: "this while your code blocks the event loop",
    tests: core({
      "execute/time.test.ts": [
        "S4.1 the bound of an execution > holds when the executor and every port hang and the listener throws",
        "S4.1 the bound of an execution > limits every call of a port by portTimeoutMs",
      ],
    }),
  },
  {
    clause: "S4.2",
    when: "an attempt takes too long",
    does: "aborts its signal at the smaller of `attemptTimeoutMs` and what remains, with a reason that says which",
    promisesNot: "that the work stops: the signal asks",
    tests: core({
      "execute/time.test.ts": [
        "S4.2 the limit of an attempt > is the smaller of the attempt's and what remains, with reasons that tell them apart",
      ],
    }),
  },
  {
    clause: "S4.3",
    when: "an attempt timed out and its executor is still at work",
    does: "never overlaps it with another attempt of the action; a `once` action ends there",
    promisesNot: "this across processes that share no idempotency store",
    tests: core({
      "execute/time.test.ts": [
        "S4.3 no two attempts of an action overlap > blocks further attempts of a once-only action that has not settled",
        "S4.3 no two attempts of an action overlap > waits for the settlement of an … action before the next attempt, and backs off from it",
        "S4.3 no two attempts of an action overlap > uses an answer within the grace, marked late; a once-only action ends there",
      ],
    }),
  },
  {
    clause: "S4.4",
    when: "dispatches hang under `maxConcurrency`",
    does: "counts them as in flight until they settle: the slot is not given away",
    promisesNot: "progress while all slots hang",
    tests: core({
      "execute/time.test.ts": [
        "S4.4 true concurrency > counts what has not settled: an unsettled dispatch keeps its slot",
      ],
    }),
  },
  {
    clause: "S4.5",
    when: "an executor settles after the report",
    does: "emits `attempt.settled_late` and corrects the idempotency record; the report stays",
    promisesNot: "this after the process has ended",
    tests: core({
      "execute/time.test.ts": ["S4.5 a settlement after the report > is an event, and never changes the report"],
      "execute/idempotency.test.ts": [
        "S7.4 how the key ends > S4.5 a settlement after the report corrects what is stored",
      ],
    }),
  },
  {
    clause: "S4.6",
    when: "many executions share one long-lived signal",
    does: "gives each attempt a fresh signal, and leaves no timer and no listener after settling",
    promisesNot: "anything about what the executor leaves",
    tests: core({
      "execute/time.test.ts": [
        "S4.6 signals > are fresh for each attempt, and made only when asked for",
        "S4.6 signals > leave no listener on the caller's and no timer after settling, however many share it",
      ],
    }),
  },
  {
    clause: "S4.7",
    when: "the wall clock steps, or a duration is above 2^31−1 ms",
    does: "measures by monotonic time; waits as long as it was told",
    promisesNot: "that `atMs` and `startedAtMs` grow: they are wall time",
    tests: core({
      "execute/time.test.ts": [
        "S4.7 all time comes from the clock > a step of the wall clock changes nothing but timestamps",
        "S4.7 all time comes from the clock > durations above 2^31−1 ms work",
      ],
    }),
  },
  {
    clause: "S4.8",
    when: "the caller's `signal` aborts",
    does: "stops like a halt, with the reason `cancelled`",
    promisesNot: "to undo what was applied",
    tests: core({
      "execute/kill-switch.test.ts": [
        "S4.8 the caller's signal > cancels like a halt, with a code of its own",
        "S4.8 the caller's signal > denies everything when it was aborted before",
        "S4.8 the caller's signal > ends a backoff at once",
      ],
    }),
  },
  {
    clause: "S5.1",
    when: "a plan has several actions",
    does: "starts them in plan order and reports them in plan order",
    promisesNot:
      "that they settle in order under `maxConcurrency` above 1, or that one waits for a port that takes its time for the one before",
    tests: core({
      "execute/order.test.ts": [
        "S5.1 order > starts actions in plan order and reports them in plan order, whatever order they settle in",
        "S5.1 order of dispatches > is the plan's with everything that may be asked answering at once, and executors that do",
      ],
    }),
  },
  {
    clause: "S5.2",
    when: 'an action failed, was denied or is unknown, under `onFailure: "stop"` (the default)',
    does: "dispatches nothing further; the rest is `skipped` (`prior_action_failed`)",
    promisesNot: "to abort what is already in flight, or to undo what came before",
    tests: core({
      "execute/order.test.ts": [
        "S5.2 onFailure > stop: nothing is dispatched after an action that …",
        "S5.2 onFailure > stop: an attempt in flight is let finish",
        "S5.2 onFailure > continue: all of them run, and a backoff holds no slot",
      ],
    }),
  },
  {
    clause: "S5.3",
    when: "an execution ends, however",
    does: "has exactly one row for every action of the plan",
    promisesNot: "rows where the input was refused (S1.2)",
    tests: core({
      "execute/order.test.ts": ["S5.3 rows > every action of the plan has exactly one, with and without dispatch"],
    }),
  },
  {
    clause: "S5.4",
    when: "executions share a bulkhead",
    does: "bounds their dispatches together, first come, first served; nobody admitted is rejected later",
    promisesNot: "a bulkhead across processes",
    tests: core({
      "execute/order.test.ts": [
        "S5.4 a bulkhead > bounds the dispatches of several executions together, first come, first served",
        "S5.4 a bulkhead > hands a freed slot straight on: nobody overtakes",
        "S5.4 a bulkhead > refuses when its queue is full",
      ],
    }),
  },
  {
    clause: "S5.5",
    when: "a dispatch is due",
    does: "takes slot, claim, gates, permits, intent, and reads the kill switch last, so that no queue carries an action past it",
    promisesNot: "to close the gap between the last read and the first byte sent: only the signal reaches there",
    tests: core({
      "execute/order.test.ts": [
        "S5.5 what comes before a dispatch > slot, claim, gates, permits, intent, kill switch, in this order",
        "S5.5 what comes before a dispatch > withdraws an intent that the kill switch refuses",
      ],
    }),
  },
  {
    clause: "S6.1",
    when: "a rate limit is set",
    does: "starts at most `limit` dispatches in every window of that length, wherever it is laid, retries included",
    promisesNot: "a limit on requests that the executor makes beyond one per dispatch",
    tests: core({
      "execute/rate-limits.test.ts": [
        "S6.1 at most `limit` starts in every window > wherever the window is laid, for any traffic, retries included",
        "S6.1 at most `limit` starts in every window > a wall-clock step neither stalls nor opens it",
      ],
    }),
  },
  {
    clause: "S6.2",
    when: "several limits hold at once",
    does: "takes all permits or none: a refusal consumes nothing",
    promisesNot: "",
    tests: core({
      "execute/rate-limits.test.ts": [
        "S6.2 several limits > are taken all together or not at all: a refusal consumes nothing",
      ],
    }),
  },
  {
    clause: "S6.3",
    when: "a limit is reached",
    does: "waits in order of arrival if that fits the deadline, else refuses at once with `retryAfterMs`",
    promisesNot: "fairness across processes beyond what the limiter gives",
    tests: core({
      "execute/rate-limits.test.ts": [
        "S6.3 onExceeded > wait: in order of arrival, if it fits the deadline",
        "S6.3 onExceeded > wait: else refuses at once",
        "S6.3 onExceeded > deny: refuses at once",
        "S6.3 onExceeded > an aborted wait gives everything back",
      ],
    }),
  },
  {
    clause: "S6.4",
    when: "executions share a limiter, or it throws or hangs",
    does: "holds the limit across them; a failing limiter denies (`rate_limiter_unavailable`)",
    promisesNot: "a limit across processes with the limiter in memory",
    tests: core({
      "execute/rate-limits.test.ts": [
        "S6.4 a shared limiter > holds across executions",
        "S6.4 a shared limiter > that … denies, fail-closed",
      ],
    }),
  },
  {
    clause: "S7.1",
    when: "idempotency is on",
    does: "uses one key per action, the same on every attempt and for the same decision executed again",
    promisesNot: "that a derived key knows your intent: see [choosing a key](idempotency-keys.md)",
    tests: core({
      "execute/idempotency.test.ts": [
        "S7.1 the key > is the action's own, handed to the executor on every attempt and written into the report",
        "S7.1 the key > derived: two equal actions of a plan have two; the same decision again has the same",
        "S7.1 the key > derived: volatile context does not count, the rest does",
      ],
    }),
  },
  {
    clause: "S7.2",
    when: "the key is known: done, in progress, in doubt, or used for another payload",
    does: "replays, denies or waits, reports `unknown` (`in_doubt`), or denies (`idempotency_conflict`); no dispatch",
    promisesNot: "anything for executions that use another store",
    tests: core({
      "execute/idempotency.test.ts": [
        "S7.2 what is found > completed: replayed with its value, without a dispatch",
        "S7.2 what is found > in progress elsewhere: denied by default",
        "S7.2 what is found > unknown: in doubt, without a dispatch",
        "S7.2 what is found > the same key for another payload: a conflict",
        "S7.2 what is found > a lease that ran out after a start is in doubt; before any start it is taken over",
      ],
    }),
  },
  {
    clause: "S7.3",
    when: "a process stalls, loses its lease, and comes back",
    does: "refuses its writes: the fencing token is stale",
    promisesNot: "that the outside world checks the token",
    tests: core({
      "execute/idempotency.test.ts": [
        "S7.3 leases and fencing > renews the lease while dispatching",
        "S7.3 leases and fencing > refuses a writer whose token is stale",
        "S7.3 leases and fencing > does not dispatch when the claim was lost before the start",
        "S7.3 what somebody else may have done meanwhile > asks before every dispatch, and releases a key that it lost to nobody",
      ],
    }),
  },
  {
    clause: "S7.4",
    when: "an action fails, or its outcome is unknown",
    does: "releases the key of what failed; keeps what is unknown in doubt until somebody resolves it",
    promisesNot: "that doubt goes away by waiting",
    tests: core({
      "execute/idempotency.test.ts": [
        "S7.4 how the key ends > a failed action releases it, once, at its end",
        "S7.4 how the key ends > an unknown outcome stays unknown for ever, until an operator resolves it",
      ],
    }),
  },
  {
    clause: "S7.5",
    when: "a success is replayed whose value is not JSON",
    does: "replays it without the value, and says so (`valueOmitted`)",
    promisesNot: "to store what JSON cannot hold",
    tests: core({
      "execute/idempotency.test.ts": [
        "S7.5 the stored value > must survive JSON; one that does not is replayed without it",
      ],
    }),
  },
  {
    clause: "S7.6",
    when: "the idempotency store throws or hangs",
    does: "denies before a dispatch; after a success the report still says success, with `recordError`",
    promisesNot: "that a success which could not be recorded is replayed later",
    tests: core({
      "execute/idempotency.test.ts": [
        "S7.6 a store that fails > before the dispatch (…): denied, fail-closed",
        "S7.6 a store that fails > after a success (…): still a success, with recordError",
      ],
    }),
  },
  {
    clause: "S8.1",
    when: "anything happens in an execution",
    does: "emits an event, numbered without gaps, one end for every start; `reportFromEvents` rebuilds the report",
    promisesNot: "values: they are in no event",
    tests: core({
      "execute/record.test.ts": [
        "S8.1 events > rebuild the report, are dense, and have one end for every start, for any execution",
      ],
    }),
  },
  {
    clause: "S8.2",
    when: "the journal cannot be written",
    does: "does not dispatch: the intent is durable first, or nothing happens (`journal_unavailable`)",
    promisesNot: "durability beyond what the journal's sink gives",
    tests: [
      ...core({
        "execute/record.test.ts": [
          "S8.2 a journal > has the intent before the dispatch, however slow it is",
          "S8.2 a journal > that …: no dispatch, fail-closed",
          "S8.2 a journal > has every denial and skip",
          "S8.2 a journal > that keeps the order itself is waited for at an intent and at the end",
        ],
      }),
      "packages/trace/test/file-faults.test.ts > a journal's file that fails > S8.2 keeps anything from being dispatched on a full device",
      "packages/trace/test/appends-at-once.test.ts > S8.2 a journal whose sink takes many lines at once > has kept what it says is kept, in the order of the calls, whenever it dies",
    ],
  },
  {
    clause: "S8.3",
    when: "a listener throws, returns, or changes what it is given",
    does: "changes nothing: outcome, order and number of calls stay the same",
    promisesNot: "to time a listener: it runs inside the event loop",
    tests: core({
      "execute/record.test.ts": [
        "S8.3 listeners observe only > one that … changes nothing",
        "S8.3 listeners observe only > one that throws is itself an event, once",
      ],
    }),
  },
  {
    clause: "S8.4",
    when: "plan, inputs, clock, seed and execution id are the same",
    does: "gives byte-identical events and report",
    promisesNot: "this of an executor that draws its own randomness",
    tests: core({
      "execute/record.test.ts": [
        "S8.4 determinism (INV-EXE-1) > same plan, inputs, clock and seed: byte-identical events and report",
      ],
      "machine/executions.test.ts": [
        "execute, whatever executors, ports, listeners and people do > S8.4 is the same again, byte by byte",
      ],
    }),
  },
  {
    clause: "S9.1",
    when: "an executor throws with a secret in its message, stack, cause or headers",
    does: "records the sanitised class name and a code; nothing else reaches report, event or journal",
    promisesNot: "to keep secrets out of ids and codes that you choose yourself",
    tests: [
      ...core({
        "execute/record.test.ts": [
          "S9 secret hygiene > S9.1 nothing that an executor says enters report, event or journal but type and code",
          "S9 secret hygiene > S9.1 a code that is no code is recorded as invalid_code",
        ],
      }),
      "packages/adapter-http/test/with-core.test.ts > execute over HTTP > S9.1 leaves no header, URL or body in report and events",
    ],
  },
  {
    clause: "S9.2",
    when: "an executor returns a value",
    does: "gives it to you on the row, not enumerable: absent from JSON, `structuredClone` and inspection",
    promisesNot: "to keep it out of the idempotency store, which must replay it",
    tests: core({ "execute/record.test.ts": ["S9 secret hygiene > S9.2 the value is reachable and not enumerable"] }),
  },
  {
    clause: "S9.3",
    when: "data goes through `createRedactor`",
    does: "masks a copy by key name, by shape and by declared secrets, and lists what it masked",
    promisesNot: "to find every secret: [measured misses and false alarms](redaction.md)",
    tests: core({
      "redaction/properties.test.ts": [
        "S9.3 properties of redaction > no planted secret survives, at any depth, in keys or values or the manifest",
        "S9.3 properties of redaction > the input stays as it was",
      ],
      "redaction/vectors.test.ts": ["S9.3 the reference's vectors > gives exactly what the reference gives: $name"],
      "redaction/recall.test.ts": [
        "S9.3 the published recall and false alarms > finds no less than was published in log lines from the wild",
      ],
      "redaction/value-patterns.test.ts": ["the patterns' running time > is linear: %s"],
    }),
  },
  {
    clause: "S10",
    when: "an execution ends",
    does: "reports unknown before anything else, then `partial`, failed, denied, skipped; `failClosed` says that something abnormal stopped it",
    promisesNot: "a reading of it that fits everybody: see [outcomes](outcomes.md)",
    tests: core({
      "execute/record.test.ts": [
        "S10 the report > …: …",
        "S10 the report > failed goes before denied, denied before skipped",
        "S10 the report > failClosed is … for …",
        "S10 the report > counts attempts and actions as the trace keys say",
      ],
    }),
  },
];
