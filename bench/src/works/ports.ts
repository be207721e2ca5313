import type { ExecuteOptions, ExecutionPolicyInput } from "@eoc/core";
import type { Contestant, Work } from "../contest.ts";
import { succeededAtOnce } from "../eoc.ts";
import { sequential } from "../sequential.ts";

const done = async () => ({ ok: true, value: 1 }) as const;

type Core = typeof import("@eoc/core");

const PORTS = {
  "a parent signal": () => ({ signal: new AbortController().signal }),
  "a bulkhead": ({ createBulkhead }) => ({ bulkhead: createBulkhead({ limit: 64 }) }),
  "a kill switch": ({ createManualKillSwitch }) => ({ killSwitch: createManualKillSwitch() }),
  "a retry budget": ({ createRetryBudget }) => ({
    retryBudget: createRetryBudget({ capacity: 10, refillPerSuccess: 1 }),
  }),
  "a rate limiter, no limit": ({ createMemoryRateLimiter }) => ({ rateLimiter: createMemoryRateLimiter() }),
  "a store, no keys": ({ createMemoryIdempotencyStore }) => ({ idempotencyStore: createMemoryIdempotencyStore() }),
  "a gate": () => ({ gates: [() => ({ allow: true }) as const] }),
  "a listener": () => ({ onEvent: () => {} }),
  "a journal": () => ({ journal: { append: () => {} } }),
} satisfies Record<string, (core: Core) => ExecuteOptions>;

const allPorts = (core: Core): ExecuteOptions => Object.assign({}, ...Object.values(PORTS).map((make) => make(core)));

const ON: ExecutionPolicyInput = {
  rateLimit: { global: { limit: 1_000_000, windowMs: 10 } },
  idempotency: { enabled: true },
};

async function under(ports: (core: Core) => ExecuteOptions, input: ExecutionPolicyInput = {}): Promise<Contestant> {
  const core = await import("@eoc/core");
  const { definePolicy, execute } = core;
  const options = ports(core);
  const policy = definePolicy({ retry: { maxRetries: 3 }, timeout: { attemptTimeoutMs: 5000 }, ...input });
  const context = { account: "a-17" };
  let turn = 0;
  return sequential(() => {
    const actions = [{ action: "ACT" as const, id: `refund-${turn++}` }];
    return execute({ action: "ACT", actions }, context, policy, done, options);
  }, succeededAtOnce);
}

/** What each port costs when it has nothing to say, and all of them when they have. */
export const ports: Work = {
  name: "ports",
  title: "The happy path with one port, with every port idle, with everything on",
  operation: "execution",
  floor: "bare",
  contestants: {
    bare: () => under(() => ({})),
    ...Object.fromEntries(Object.entries(PORTS).map(([name, make]) => [name, () => under(make)])),
    "every port, idle": () => under(allPorts),
    "every port, everything on": () => under(allPorts, ON),
  },
  shows: [
    {
      show: 7,
      what: "every port idle beside the bare happy path",
      value: (r) => r.ratio("every port, idle", "bare"),
      atMost: 4,
    },
  ],
};
