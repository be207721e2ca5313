import type { Work } from "../contest.ts";
import { createEoc, succeededAtOnce } from "../eoc.ts";
import { createLeanFloor } from "../floors/lean-floor.ts";
import { sequential } from "../sequential.ts";

const DONE = { ok: true, value: 1 } as const;
const done = async () => DONE;

type Answer = Awaited<ReturnType<typeof done>>;
const isDone = (answer: Answer) => answer.ok;

const LEAN = { maxRetries: 3, initialBackoffMs: 100, attemptTimeoutMs: 5000, slots: 64 };

/** The executor resolves at once; nothing is in the way. */
export const happy: Work = {
  name: "happy",
  title: "Happy path: one execution after the other, the executor is an `async` function that resolves at once",
  operation: "execution",
  floor: "lean floor",
  contestants: {
    "raw await": () => sequential(done, isDone),
    "lean floor": () => {
      const floor = createLeanFloor(LEAN);
      return sequential(
        () => floor(done),
        ({ status, attempts }) => status === "success" && attempts === 1,
      );
    },
    EOC: () => {
      const run = createEoc({ slots: 64 });
      return sequential(() => run(done), succeededAtOnce);
    },
    "EOC without shared slots": () => {
      const run = createEoc({});
      return sequential(() => run(done), succeededAtOnce);
    },
    "async-retry": async () => {
      const { default: retry } = await import("async-retry");
      return sequential(() => retry(done, { retries: 3, minTimeout: 0 }), isDone);
    },
    opossum: async () => {
      const { default: CircuitBreaker } = await import("opossum");
      const breaker = new CircuitBreaker(done, { timeout: 5000, capacity: 64 });
      return sequential(() => breaker.fire(), isDone);
    },
    "p-stack tuned": async () => {
      const { createPStack } = await import("../rivals/p-stack.ts");
      const run = createPStack("tuned");
      return sequential(() => run(done), isDone);
    },
    "p-stack default": async () => {
      const { createPStack } = await import("../rivals/p-stack.ts");
      const run = createPStack("default");
      return sequential(() => run(done), isDone);
    },
    "cockatiel tuned": async () => {
      const { createCockatiel } = await import("../rivals/cockatiel.ts");
      const policy = createCockatiel("tuned");
      return sequential(() => policy.execute(done), isDone);
    },
    "cockatiel default": async () => {
      const { createCockatiel } = await import("../rivals/cockatiel.ts");
      const policy = createCockatiel("default");
      return sequential(() => policy.execute(done), isDone);
    },
    effect: async () => {
      const { createEffect } = await import("../rivals/effect.ts");
      const run = createEffect();
      return sequential(() => run(done), isDone);
    },
  },
  shows: [
    { show: 1, what: "happy path beside the lean floor", value: (r) => r.ratio("EOC", "lean floor"), atMost: 2.5 },
    { show: 1, what: "happy path beside tuned cockatiel", value: (r) => r.ratio("EOC", "cockatiel tuned"), atMost: 0.33 },
    { show: 1, what: "happy path beside the tuned p-stack", value: (r) => r.ratio("EOC", "p-stack tuned"), atMost: 0.5 },
    { show: 1, what: "bytes of one execution", value: (r) => r.bytes("EOC"), atMost: 3000, unit: "bytes" },
  ],
};
