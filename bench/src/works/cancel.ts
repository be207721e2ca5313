import { getEventListeners } from "node:events";
import { type Contestant, verify, type Work } from "../contest.ts";
import { createLeanFloor } from "../floors/lean-floor.ts";

interface Hung {
  readonly signal: AbortSignal;
}

/** Hangs until it is told to stop, as a request would that honours its signal. */
const hangs = ({ signal }: Hung) =>
  new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });

/** Hangs whatever it is told. */
const hangsDeaf = () => new Promise<never>(() => {});

/** Starts one execution under a parent; `crowd` is what all of one batch have in common. */
type StartUnder = (parent: AbortSignal, crowd: number) => () => Promise<boolean>;

const armed = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;

/** Starts `count` hung executions under one parent signal, cancels it, and waits until all have ended as cancelled. */
function cancelled(startUnder: StartUnder): Contestant {
  async function start(count: number) {
    const parent = new AbortController();
    const startOne = startUnder(parent.signal, count);
    const running = Array.from({ length: count }, startOne);
    // Those that begin behind a promise or two have begun.
    await new Promise((resolve) => setImmediate(resolve));
    return { parent, running };
  }
  async function stop({ parent, running }: Awaited<ReturnType<typeof start>>) {
    parent.abort("cancelled");
    const cancelledOnes = await Promise.all(running);
    verify(cancelledOnes.every(Boolean), "one that was cancelled");
  }
  const underWay = async (count: (parent: AbortSignal) => number) => {
    const started = await start(10_000);
    const figure = count(started.parent.signal);
    await stop(started);
    return figure;
  };
  return {
    run: async (count) => stop(await start(count)),
    gauges: {
      "listeners on the parent": () => underWay((parent) => getEventListeners(parent, "abort").length),
      timers: () => {
        const before = armed();
        return underWay(() => armed() - before);
      },
    },
  };
}

async function eoc(task: (attempt: Hung) => Promise<never>): Promise<Contestant> {
  const { definePolicy, execute } = await import("@eoc/core");
  const policy = definePolicy({ timeout: { attemptTimeoutMs: 60_000, maxTotalTimeMs: 120_000 } });
  const decision = { action: "ACT" } as const;
  return cancelled((signal) => async () => {
    const { status, actions } = await execute(decision, {}, policy, (_, attempt) => task(attempt), { signal });
    return status === "unknown" && actions[0]?.reason === "cancelled";
  });
}

function floor(task: (attempt: Hung) => Promise<never>): Contestant {
  return cancelled((signal, slots) => {
    const run = createLeanFloor({ maxRetries: 3, initialBackoffMs: 0, attemptTimeoutMs: 60_000, slots, signal });
    return async () => {
      const { status, code } = await run(task);
      return status === "unknown" && code === "cancelled";
    };
  });
}

/** Many hung executions and one who cancels them all. */
export const cancel: Work = {
  name: "cancel",
  title: "10,000 hung executions, cancelled by one parent signal",
  operation: "execution",
  floor: "lean floor",
  count: { full: 10_000, short: 2000 },
  withoutBytes: true,
  rounds: 5,
  contestants: {
    "lean floor": () => floor(hangs),
    EOC: () => eoc(hangs),
    "p-stack tuned": async () => {
      const { default: pRetry } = await import("p-retry");
      const { default: pTimeout } = await import("p-timeout");
      const message = new Error("too late");
      return cancelled((signal) => async () => {
        const attempt = () => pTimeout(hangs({ signal }), { milliseconds: 60_000, message, signal });
        return pRetry(attempt, { retries: 3, signal }).then(
          () => false,
          () => true,
        );
      });
    },
    "cockatiel tuned": async () => {
      const { bulkhead, handleAll, retry, TimeoutStrategy, timeout, wrap } = await import("cockatiel");
      const limit = timeout(60_000, { strategy: TimeoutStrategy.Cooperative, abortOnReturn: false });
      return cancelled((signal, slots) => {
        const policy = wrap(bulkhead(slots, 0), retry(handleAll, { maxAttempts: 3 }), limit);
        return async () => {
          try {
            await policy.execute(({ signal: own }) => hangs({ signal: own }), signal);
            return false;
          } catch {
            return true;
          }
        };
      });
    },
    "lean floor, deaf executors": () => floor(hangsDeaf),
    "EOC, deaf executors": () => eoc(hangsDeaf),
  },
  shows: [
    {
      show: 3,
      what: "cancel of 10,000 beside the lean floor",
      value: (r) => r.ratio("EOC", "lean floor"),
      atMost: 1.7,
    },
    {
      show: 3,
      what: "listeners on the parent",
      value: (r) => r.gauge("EOC", "listeners on the parent"),
      atMost: 1,
      unit: "",
    },
    { show: 3, what: "timers under way", value: (r) => r.gauge("EOC", "timers"), atMost: 2, unit: "" },
  ],
};
