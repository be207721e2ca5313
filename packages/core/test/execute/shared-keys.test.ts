import fc from "fast-check";
import { expect, it } from "vitest";
import {
  type Clock,
  createMemoryIdempotencyStore,
  type Executor,
  execute,
  type IdempotencyStore,
} from "../../src/index.js";
import { DEEP } from "../machine/depth.js";
import { createVirtualClock, plan } from "../support.js";

/** What one dispatch does to the outside world, and what is heard of it. */
const dispatch = fc.record({
  beforeMs: fc.nat(30),
  does: fc.constantFrom("applied", "reply lost", "refused", "refused", "refused", "request lost", "reply late"),
  afterMs: fc.nat(10),
});

/** One process with one execution of the key. */
const process = fc.record({
  startMs: fc.nat(150),
  leaseMs: fc.constantFrom(60, 200, 200, 1000),
  onInProgress: fc.constantFrom("wait" as const, "deny" as const),
  maxRetries: fc.nat(2),
  backoffMs: fc.constantFrom(0, 10, 100, 100, 400),
  attemptMs: fc.constantFrom(20, 2000),
  dispatches: fc.array(dispatch, { minLength: 1, maxLength: 3 }),
  /** How long the answers of the store are on their way, in turn. */
  delays: fc.array(fc.nat(15), { minLength: 1, maxLength: 5 }),
  /** Calls of the store that are lost, before or after it has done what was asked. */
  faults: fc.array(fc.constantFrom("none", "none", "none", "none", "request", "answer"), {
    minLength: 1,
    maxLength: 7,
  }),
  reconciles: fc.constantFrom("never", "always", "always", "at first", "later"),
  lookUpMs: fc.nat(60),
  /** It stands still, as a machine that sleeps does. */
  sleep: fc.option(fc.tuple(fc.nat(300), fc.integer({ min: 100, max: 1500 })), { nil: undefined, freq: 2 }),
});
type Process = typeof process extends fc.Arbitrary<infer T> ? T : never;

/** Runs them against one store and one world, in which reconcile says the truth or nothing; how often the effect was applied. */
async function effectsOf(processes: readonly Process[], haveFaults: boolean): Promise<number> {
  const clock = createVirtualClock();
  const memory = createMemoryIdempotencyStore({ clock });
  let applied = 0;
  let onTheWay = 0;

  const run = async (given: Process) => {
    const { sleep, delays, faults, dispatches } = given;
    const wakesAt = sleep === undefined ? 0 : sleep[0] + sleep[1];
    /** Nothing that this process waits for comes while it sleeps. */
    const own: Clock = {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      setTimer(callback, ms) {
        const at = clock.monotonic() + ms;
        const isAsleep = sleep !== undefined && at > sleep[0] && at < wakesAt;
        return clock.setTimer(callback, isAsleep ? wakesAt - clock.monotonic() : ms);
      },
    };
    const wait = (ms: number) => new Promise<void>((resolve) => own.setTimer(resolve, ms));
    let calls = 0;
    const overTheNetwork =
      <A extends unknown[], T>(call: (...of: A) => T) =>
      async (...of: A): Promise<T> => {
        const turn = calls++;
        const fault = haveFaults ? faults[turn % faults.length] : "none";
        // The request arrives whether its sender is awake or not.
        await clock.sleep(delays[turn % delays.length]!);
        if (fault === "request") throw new Error("the request was lost");
        const answer = call(...of);
        await wait(delays[(turn + 1) % delays.length]!);
        if (fault === "answer") throw new Error("the answer was lost");
        return answer;
      };
    const idempotencyStore: IdempotencyStore = {
      claim: overTheNetwork(memory.claim),
      start: overTheNetwork(memory.start),
      renew: overTheNetwork(memory.renew),
      complete: overTheNetwork(memory.complete),
      release: overTheNetwork(memory.release),
      markUnknown: overTheNetwork(memory.markUnknown),
    };
    let dispatched = 0;
    const work: Executor = {
      execute: async () => {
        const { beforeMs, does, afterMs } = dispatches[dispatched++ % dispatches.length]!;
        onTheWay++;
        await clock.sleep(beforeMs);
        onTheWay--;
        if (does !== "refused" && does !== "request lost") applied++;
        await wait(does === "reply late" ? 50 + afterMs : afterMs);
        if (does === "refused") return { ok: false, code: "busy" };
        if (does.endsWith("lost")) throw new Error("connection reset");
        return { ok: true };
      },
    };
    let lookUps = 0;
    const reconcile = async () => {
      const mayTell = given.reconciles === "always" || (given.reconciles === "at first") === (lookUps++ === 0);
      if (!mayTell) throw new Error("the lookup is down");
      const state = applied > 0 ? "applied" : onTheWay > 0 ? "unknown" : "not_applied";
      await wait(given.lookUpMs);
      return { state } as const;
    };
    await clock.sleep(given.startMs);
    return execute(
      plan([{ action: "ACT", idempotency_key: "k" }]),
      {},
      {
        idempotency: { enabled: true, leaseMs: given.leaseMs, onInProgress: given.onInProgress },
        retry: { maxRetries: given.maxRetries, initialBackoffMs: given.backoffMs },
        timeout: { attemptTimeoutMs: given.attemptMs, maxTotalTimeMs: 4000, abortGraceMs: 20 },
      },
      given.reconciles === "never" ? work : { ...work, reconcile },
      { clock: own, idempotencyStore },
    );
  };

  await clock.run(() => Promise.all(processes.map(run)));
  await clock.runUntilIdle();
  return applied;
}

it.each([false, true])(
  "S7.3 an effect that may be applied once is applied once at the most, whoever executes its key, sleeps, loses leases and replies (faults of the store: %s)",
  { timeout: 600_000 },
  async (haveFaults) => {
    await fc.assert(
      fc.asyncProperty(fc.array(process, { minLength: 2, maxLength: 4 }), async (processes) => {
        expect(await effectsOf(processes, haveFaults)).toBeLessThanOrEqual(1);
      }),
      { numRuns: DEEP ? 20_000 : 2000 },
    );
  },
);
