import type { Contestant, Work } from "../contest.ts";
import { verify } from "../contest.ts";
import { createEoc, succeededAtOnce } from "../eoc.ts";
import { createLeanFloor } from "../floors/lean-floor.ts";

const DONE = { ok: true, value: 1 } as const;
type Done = typeof DONE;

const lasts1Ms = () => new Promise<Done>((resolve) => setTimeout(resolve, 1, DONE));

const WAITING = 20_000;

type Start<T> = (task: () => Promise<Done>) => Promise<T>;

/** All at once through the same slots, in batches of `batch`. */
function crowd<T>(start: Start<T>, isRight: (result: T) => boolean, batch: number): Contestant {
  return {
    async run(count) {
      for (let left = count; left > 0; left -= batch) {
        const results = await Promise.all(Array.from({ length: Math.min(batch, left) }, () => start(lasts1Ms)));
        verify(results.every(isRight), "one of a crowd");
      }
    },
    gauges: { "bytes per waiting": () => bytesPerWaiting(start, isRight) },
  };
}

/** What one that waits for a slot holds in memory, its promise included. */
async function bytesPerWaiting<T>(start: Start<T>, isRight: (result: T) => boolean): Promise<number> {
  // The first are for what is compiled and allocated once.
  await Promise.all(Array.from({ length: 1000 }, () => start(async () => DONE)));
  let open = () => {};
  const opened = new Promise<Done>((resolve) => {
    open = () => resolve(DONE);
  });
  globalThis.gc!();
  const before = process.memoryUsage().heapUsed;
  const results = Array.from({ length: WAITING }, () => start(() => opened));
  await new Promise((resolve) => setTimeout(resolve, 10));
  globalThis.gc!();
  const bytes = (process.memoryUsage().heapUsed - before) / WAITING;
  open();
  verify((await Promise.all(results)).every(isRight), "one that waited");
  return bytes;
}

function throughSlots(slots: number): Work {
  const isDone = (answer: Done) => answer.ok;
  const batch = 100_000;
  const eoc = (size: number) => async () =>
    crowd(await createEoc({ slots, maxTotalTimeMs: 600_000 }), succeededAtOnce, size);
  const ours = eoc(batch);
  return {
    name: `bulkhead-${slots}`,
    title: `100,000 executions of 1 ms through ${slots} shared slots, all started at once`,
    operation: "execution",
    floor: "lean floor",
    count: { full: 100_000, short: 10_000 },
    rounds: 3,
    withoutBytes: true,
    contestants: {
      "lean floor": () =>
        crowd(
          createLeanFloor({ maxRetries: 3, initialBackoffMs: 100, attemptTimeoutMs: 5000, slots }),
          ({ status }) => status === "success",
          batch,
        ),
      EOC: ours,
      "EOC, 5,000 at a time": eoc(5000),
      "p-stack tuned": async () => {
        const { createPStack } = await import("../rivals/p-stack.ts");
        return crowd(createPStack("tuned", slots), isDone, batch);
      },
      // A queue alone: no retry and no limit of an attempt.
      "p-queue": async () => {
        const { default: PQueue } = await import("p-queue");
        const queue = new PQueue({ concurrency: slots });
        return crowd((task) => queue.add(task), isDone, batch);
      },
      "cockatiel tuned": async () => {
        const { createCockatiel } = await import("../rivals/cockatiel.ts");
        const policy = createCockatiel("tuned", slots);
        return crowd((task) => policy.execute(task), isDone, batch);
      },
    },
    shows:
      slots === 64
        ? [
            {
              show: 3,
              what: "100,000 through 64 slots beside the lean floor",
              value: (r) => r.ratio("EOC", "lean floor"),
              atMost: 2,
            },
            {
              show: 3,
              what: "100,000 through 64 slots beside tuned cockatiel",
              value: (r) => r.ratio("EOC", "cockatiel tuned"),
              atMost: 0.2,
            },
            {
              show: 3,
              what: "bytes of one that waits",
              value: (r) => r.gauge("EOC", "bytes per waiting"),
              atMost: 700,
              unit: "bytes",
            },
            {
              show: 3,
              what: "100,000 at once beside 5,000 at a time, each",
              value: (r) => r.ratio("EOC", "EOC, 5,000 at a time"),
              atMost: 1.5,
            },
          ]
        : [],
  };
}

/** Many more executions than slots. Effect's semaphore and bottleneck are not here: 100,000 took them more than five minutes. */
export const bulkheads: readonly Work[] = [throughSlots(64), throughSlots(1000)];
