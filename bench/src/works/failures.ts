import type { Contestant, Work } from "../contest.ts";
import { createEoc, failedAfter, succeededAfter } from "../eoc.ts";
import type { Answer } from "../floors/attempt.ts";
import { createContractFloor } from "../floors/contract-floor.ts";
import { createFullFloor, FloorSwitch } from "../floors/full-floor.ts";
import { createLeanFloor } from "../floors/lean-floor.ts";
import { sequential } from "../sequential.ts";

const DONE = { ok: true, value: 1 } as const;
const BUSY = { ok: false, code: "busy" } as const;
/** Made once: what it costs to make errors is the executor's affair. */
const THROWN = new Error("busy");

/** A service that fails `failures` times before it does anything, over and over. */
function service(failures: number) {
  let calls = 0;
  const fails = () => calls++ % (failures + 1) < failures;
  return {
    answers: async (): Promise<Answer> => (fails() ? BUSY : DONE),
    throws: async () => {
      if (fails()) throw THROWN;
      return DONE;
    },
  };
}

/** Counts the timers below one second that `run` arms: an attempt's limit is longer, a backoff is not. */
function shortTimers(contestant: Contestant): Contestant {
  return {
    run: (count) => contestant.run(count),
    gauges: {
      "short timers": async () => {
        const { setTimeout } = globalThis;
        let armed = 0;
        globalThis.setTimeout = ((callback: () => void, delayMs = 0, ...rest: []) => {
          if (delayMs < 1000) armed++;
          return setTimeout(callback, delayMs, ...rest);
        }) as typeof setTimeout;
        await contestant.run(100);
        globalThis.setTimeout = setTimeout;
        return armed / 100;
      },
    },
  };
}

const FLOOR = { maxRetries: 3, initialBackoffMs: 0, attemptTimeoutMs: 5000, slots: 64 };

function failing(name: string, title: string, failures: number, what: string): Work {
  const exhausts = failures > FLOOR.maxRetries;
  const attempts = exhausts ? FLOOR.maxRetries + 1 : failures + 1;
  const status = exhausts ? "failed" : "success";
  const caught = (run: (task: () => Promise<unknown>) => Promise<unknown>) => {
    const { throws } = service(failures);
    return exhausts
      ? sequential(
          () => run(throws).catch((error: unknown) => error),
          (error) => error === THROWN,
        )
      : sequential(
          () => run(throws),
          (answer) => answer === DONE,
        );
  };
  return {
    name,
    title,
    operation: "execution",
    floor: "lean floor",
    contestants: {
      "lean floor": () => {
        const floor = createLeanFloor(FLOOR);
        const { answers } = service(failures);
        return shortTimers(
          sequential(
            () => floor(answers),
            (outcome) => outcome.status === status && outcome.attempts === attempts,
          ),
        );
      },
      "full floor": () => {
        const rateLimit = { limit: 10_000_000, windowMs: 10 };
        const floor = createFullFloor({ ...FLOOR, killSwitch: new FloorSwitch(), rateLimit });
        const { answers } = service(failures);
        return sequential(
          () => floor({ action: "ACT" }, answers),
          (report) => report.status === status && report.attempts.length === attempts,
        );
      },
      "contract floor": () => {
        const floor = createContractFloor(FLOOR);
        const { answers } = service(failures);
        return sequential(
          () => floor({ action: "ACT" }, { account: "a-17" }, answers),
          (report) => report.status === status && report.attempts.length === attempts,
        );
      },
      EOC: async () => {
        const run = await createEoc({ slots: 64, initialBackoffMs: 0 });
        const { answers } = service(failures);
        const isRight = exhausts ? failedAfter(attempts) : succeededAfter(attempts);
        return shortTimers(sequential(() => run(answers), isRight));
      },
      "async-retry": async () => {
        const { default: retry } = await import("async-retry");
        return caught((task) => retry(task, { retries: 3, minTimeout: 0 }));
      },
      "p-stack tuned": async () => {
        const { createPStack } = await import("../rivals/p-stack.ts");
        return caught(createPStack("tuned"));
      },
      "cockatiel tuned": async () => {
        const { createCockatiel } = await import("../rivals/cockatiel.ts");
        const policy = createCockatiel("tuned");
        return caught((task) => policy.execute(task));
      },
    },
    shows: [
      { show: 2, what: `${what} beside the lean floor`, value: (r) => r.ratio("EOC", "lean floor"), atMost: 1.8 },
      {
        show: 2,
        what: `timers of zero backoff, ${what}`,
        value: (r) => r.gauge("EOC", "short timers"),
        atMost: 0,
        unit: "",
      },
    ],
  };
}

/** Services that are busy, and retries without backoff. */
export const failures: readonly Work[] = [
  failing("retry", "One failure, then success; no backoff", 1, "one failure then success"),
  failing("exhaustion", "Every attempt fails: four attempts; no backoff", Number.POSITIVE_INFINITY, "exhaustion"),
];
