import { type Contestant, verify, type Work } from "../contest.ts";

const BATCH = 1000;

async function virtualTime(atOnce: "one by one" | "all at once"): Promise<Contestant> {
  const { definePolicy, execute } = await import("@eoc/core");
  const { createVirtualClock } = await import("@eoc/testkit");
  const policy = definePolicy({ retry: { maxRetries: 3, initialBackoffMs: 100 } });
  async function runBatch(count: number) {
    const clock = createVirtualClock();
    const one = async () => {
      const { status, attempts } = await execute(
        { action: "ACT" },
        {},
        policy,
        async (_, { attempt }) => (attempt < 2 ? { ok: false, code: "busy" } : { ok: true }),
        { clock },
      );
      verify(status === "success" && attempts.length === 3, "an execution in virtual time", status);
    };
    if (atOnce === "all at once") await clock.run(() => Promise.all(Array.from({ length: count }, one)));
    else for (let i = 0; i < count; i++) await clock.run(one);
    verify(clock.monotonic() === (atOnce === "all at once" ? 300 : 300 * count), "a virtual clock", clock.monotonic());
  }
  return {
    async run(count) {
      for (let left = count; left > 0; left -= BATCH) await runBatch(Math.min(left, BATCH));
    },
    gauges: {
      // What a process that does nothing else would see, the compiler's work included.
      "ms, the first 1,000": async () => {
        const before = process.cpuUsage();
        await runBatch(BATCH);
        const { user, system } = process.cpuUsage(before);
        return (user + system) / 1000;
      },
    },
  };
}

/** Executions that wait, in time that does not pass. */
export const virtualClock: Work = {
  name: "virtual-clock",
  title: "Two failures and two backoffs each, on a virtual clock",
  operation: "execution",
  floor: "all at once",
  count: { full: 5 * BATCH, short: 2 * BATCH },
  withoutBytes: true,
  contestants: {
    "all at once": () => virtualTime("all at once"),
    "one by one": () => virtualTime("one by one"),
  },
  shows: [
    {
      show: 8,
      what: "1,000 executions one by one on a virtual clock",
      value: (r) => (r.cpuNs("one by one") * BATCH) / 1e6,
      atMost: 50,
      unit: "ms",
    },
    {
      show: 8,
      what: "1,000 executions at once on a virtual clock",
      value: (r) => (r.cpuNs("all at once") * BATCH) / 1e6,
      atMost: 50,
      unit: "ms",
    },
  ],
};
