import { type ExecuteOptions, type ExecutionPolicyInput, execute } from "@eoc/core";

type Ports = Required<Pick<ExecuteOptions, "idempotencyStore" | "rateLimiter" | "killSwitch">>;

/** A policy for which each port is needed. */
const POLICIES: readonly [port: keyof Ports, policy: ExecutionPolicyInput][] = [
  ["idempotencyStore", { idempotency: { enabled: true } }],
  ["rateLimiter", { rateLimit: { global: { limit: 10, windowMs: 1000 } } }],
  ["killSwitch", {}],
];

/** One execution for each port, with that port alone: why it was denied, and how many dispatches there were. */
export async function tryEachPort(ports: Ports): Promise<{ reasons: unknown[]; dispatches: number }> {
  let dispatches = 0;
  const executor = () => {
    dispatches++;
    return { ok: true } as const;
  };
  const reports = await Promise.all(
    POLICIES.map(([port, policy]) => {
      const limited = { ...policy, timeout: { portTimeoutMs: 1500 } };
      return execute({ action: "ACT" }, {}, limited, executor, { [port]: ports[port] });
    }),
  );
  return { reasons: reports.map(({ actions }) => actions[0]!.reason), dispatches };
}

/** Asks until there is an answer: a client may first have to notice that its connections are gone, and to come back. */
export async function untilAnswered<T>(call: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await call();
    } catch (error) {
      if (tries === 500) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
