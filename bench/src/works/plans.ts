import { type Contestant, verify, type Work } from "../contest.ts";
import { createLeanFloor } from "../floors/lean-floor.ts";

const DONE = { ok: true, value: 1 } as const;
const done = async () => DONE;

const SIZES = [1, 10, 100, 1000, 10_000, 100_000];
const nameOf = (size: number) => `EOC, ${size.toLocaleString("en")}`;

/** Works through plans of one size; one operation is one action. */
async function plans(size: number): Promise<Contestant> {
  const { definePolicy, execute } = await import("@eoc/core");
  const policy = definePolicy({ timeout: { maxTotalTimeMs: 600_000 } });
  const actions = Array.from({ length: size }, (_, index) => ({ action: "ACT" as const, id: `a-${index}` }));
  return {
    async run(count) {
      for (let left = count; left > 0; left -= size) {
        const decision = { action: "ACT" as const, actions: left < size ? actions.slice(0, left) : actions };
        const { status, successCount } = await execute(decision, {}, policy, done);
        verify(status === "success" && successCount === decision.actions.length, "a plan", { status, successCount });
      }
    },
  };
}

/** What one action costs in plans of any size. */
export const planSizes: Work = {
  name: "plans",
  title: "Plans of 1 … 100,000 actions, executed in order",
  operation: "action",
  floor: "lean floor, 1,000",
  count: { full: 100_000, short: 10_000 },
  rounds: 4,
  withoutBytes: true,
  contestants: {
    "lean floor, 1,000": () => {
      const floor = createLeanFloor({ maxRetries: 3, initialBackoffMs: 100, attemptTimeoutMs: 5000, slots: 1 });
      return {
        async run(count) {
          for (let left = count; left > 0; left -= 1000) {
            const size = Math.min(left, 1000);
            const outcomes = [];
            for (let action = 0; action < size; action++) outcomes.push(await floor(done));
            verify(outcomes.length === size && outcomes.every(({ status }) => status === "success"), "lean floor");
          }
        },
      };
    },
    ...Object.fromEntries(SIZES.map((size) => [nameOf(size), () => plans(size)])),
  },
  shows: [
    {
      show: 6,
      what: "an action of 100,000 beside one of 10",
      value: (r) => r.ratio(nameOf(100_000), nameOf(10)),
      atMost: 3.5,
    },
    {
      show: 6,
      what: "an action of 10 beside one of 100,000",
      value: (r) => r.ratio(nameOf(10), nameOf(100_000)),
      atMost: 3.5,
    },
    {
      show: 6,
      what: "an action of 1,000 beside the lean floor",
      value: (r) => r.ratio(nameOf(1000), "lean floor, 1,000"),
      atMost: 5,
    },
  ],
};
