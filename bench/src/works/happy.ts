import type { Contestant, Work } from "../contest.ts";
import { createEoc, succeededAtOnce } from "../eoc.ts";
import { type ContractReport, createContractFloor, type PlannedTask } from "../floors/contract-floor.ts";
import { createFullFloor, FloorSwitch, type FullReport } from "../floors/full-floor.ts";
import { createLeanFloor, type LeanOutcome } from "../floors/lean-floor.ts";
import { leftBehind, sequential } from "../sequential.ts";

const DONE = { ok: true, value: 1 } as const;
const done = async () => DONE;
const doneAtOnce = () => DONE;

type Done = typeof DONE;
const isDone = (answer: Done) => answer.ok;

const FLOOR = { maxRetries: 3, initialBackoffMs: 100, attemptTimeoutMs: 5000, slots: 64 };
const leanIsRight = ({ status, attempts }: LeanOutcome) => status === "success" && attempts === 1;
const contractIsRight = ({ status, attempts }: ContractReport) => status === "success" && attempts.length === 1;
const fullIsRight = ({ status, attempts }: FullReport) => status === "success" && attempts.length === 1;

function fullFloor(signal?: AbortSignal) {
  const killSwitch = new FloorSwitch();
  const rateLimit = { limit: 1_000_000, windowMs: 10 };
  const floor = createFullFloor({ ...FLOOR, killSwitch, rateLimit, ...(signal && { signal }) });
  const decision = { action: "ACT" };
  return (task: () => Done | Promise<Done>) => floor(decision, task);
}

function contractFloor(signal?: AbortSignal) {
  const floor = createContractFloor({ ...FLOOR, ...(signal && { signal }) });
  const decision = { action: "ACT" };
  const context = { account: "a-17" };
  return (task: PlannedTask) => floor(decision, context, task);
}

/** The executor resolves at once; nothing is in the way. */
const happy: Work = {
  name: "happy",
  title: "Happy path: one execution after the other, the executor is an `async` function that resolves at once",
  operation: "execution",
  floor: "lean floor",
  contestants: {
    "raw await": () => sequential(done, isDone),
    "lean floor": () => {
      const floor = createLeanFloor(FLOOR);
      return sequential(() => floor(done), leanIsRight);
    },
    "full floor": () => {
      const floor = fullFloor();
      return sequential(() => floor(done), fullIsRight);
    },
    "contract floor": () => {
      const floor = contractFloor();
      return sequential(() => floor(done), contractIsRight);
    },
    EOC: async () => {
      const run = await createEoc({ slots: 64 });
      return sequential(() => run(done), succeededAtOnce);
    },
    "EOC without shared slots": async () => {
      const run = await createEoc({});
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
    "p-stack tuned": () => pStack("tuned"),
    "p-stack default": () => pStack("default"),
    "cockatiel tuned": () => cockatiel("tuned"),
    "cockatiel default": () => cockatiel("default"),
    effect: async () => {
      const { createEffect } = await import("../rivals/effect.ts");
      const run = createEffect();
      return sequential(() => run(done), isDone);
    },
  },
  shows: [
    { show: 1, what: "happy path beside the lean floor", value: (r) => r.ratio("EOC", "lean floor"), atMost: 2.5 },
    {
      show: 1,
      what: "happy path beside tuned cockatiel",
      value: (r) => r.ratio("EOC", "cockatiel tuned"),
      atMost: 0.33,
    },
    {
      show: 1,
      what: "happy path beside the tuned p-stack",
      value: (r) => r.ratio("EOC", "p-stack tuned"),
      atMost: 0.5,
    },
    { show: 1, what: "bytes of one execution", value: (r) => r.bytes("EOC"), atMost: 3000, unit: "bytes" },
  ],
};

async function pStack(form: "default" | "tuned", signal?: AbortSignal): Promise<Contestant> {
  const { createPStack } = await import("../rivals/p-stack.ts");
  const run = createPStack(form, 64, signal);
  return sequential(() => run(done), isDone);
}

async function cockatiel(form: "default" | "tuned", signal?: AbortSignal): Promise<Contestant> {
  const { createCockatiel } = await import("../rivals/cockatiel.ts");
  const policy = createCockatiel(form);
  return sequential(() => policy.execute(done, signal), isDone);
}

/** The same with an executor that needs no promise; those who await everything are as they were. */
const happySync: Work = {
  name: "happy-sync",
  title: "Happy path, the executor answers without a promise",
  operation: "execution",
  floor: "lean floor",
  contestants: {
    "lean floor": () => {
      const floor = createLeanFloor(FLOOR);
      return sequential(() => floor(doneAtOnce), leanIsRight);
    },
    "full floor": () => {
      const floor = fullFloor();
      return sequential(() => floor(doneAtOnce), fullIsRight);
    },
    "contract floor": () => {
      const floor = contractFloor();
      return sequential(() => floor(doneAtOnce), contractIsRight);
    },
    EOC: async () => {
      const run = await createEoc({ slots: 64 });
      return sequential(() => run(doneAtOnce), succeededAtOnce);
    },
    "cockatiel tuned": async () => {
      const { createCockatiel } = await import("../rivals/cockatiel.ts");
      const policy = createCockatiel("tuned");
      return sequential(() => policy.execute(doneAtOnce), isDone);
    },
  },
  shows: [],
};

function underSignal(start: (signal: AbortSignal) => Contestant | Promise<Contestant>): () => Promise<Contestant> {
  return async () => {
    const { signal } = new AbortController();
    const contestant = await start(signal);
    return { run: (count) => contestant.run(count), gauges: leftBehind(contestant, signal) };
  };
}

/** The same under a signal that outlives many executions, such as the one of a server. */
const happySignal: Work = {
  name: "happy-signal",
  title: "Happy path under a long-lived parent signal",
  operation: "execution",
  floor: "lean floor",
  contestants: {
    "lean floor": underSignal((signal) => {
      const floor = createLeanFloor({ ...FLOOR, signal });
      return sequential(() => floor(done), leanIsRight);
    }),
    "full floor": underSignal((signal) => {
      const floor = fullFloor(signal);
      return sequential(() => floor(done), fullIsRight);
    }),
    "contract floor": underSignal((signal) => {
      const floor = contractFloor(signal);
      return sequential(() => floor(done), contractIsRight);
    }),
    EOC: underSignal(async (signal) => {
      const run = await createEoc({ slots: 64, options: { signal } });
      return sequential(() => run(done), succeededAtOnce);
    }),
    "p-stack tuned": underSignal((signal) => pStack("tuned", signal)),
    "cockatiel tuned": underSignal((signal) => cockatiel("tuned", signal)),
  },
  shows: [
    {
      show: 1,
      what: "under a parent signal beside the lean floor",
      value: (r) => r.ratio("EOC", "lean floor"),
      atMost: 2.8,
    },
    {
      show: 1,
      what: "listeners left on the parent signal",
      value: (r) => r.gauge("EOC", "listeners left"),
      atMost: 0,
      unit: "",
    },
    {
      show: 1,
      what: "bytes left behind by each execution",
      value: (r) => r.gauge("EOC", "bytes left"),
      atMost: 8,
      unit: "bytes",
    },
  ],
};

export const happyPaths: readonly Work[] = [happy, happySync, happySignal];
