import assert from "node:assert/strict";
import { type ExecuteOptions, execute, type KillSwitch } from "@eoc/core";

/** What a store opens. */
interface Ports {
  readonly idempotencyStore: NonNullable<ExecuteOptions["idempotencyStore"]>;
  readonly rateLimiter: NonNullable<ExecuteOptions["rateLimiter"]>;
  readonly killSwitch: KillSwitch & { halt(reason?: string): Promise<void> };
}

/** Executions on ports of a store: applied, replayed, limited; then halted in flight, by another client of the same state. */
export async function tryPorts(ports: Ports, other: Ports): Promise<void> {
  const policy = {
    idempotency: { enabled: true },
    rateLimit: { global: { limit: 2, windowMs: 3_600_000 }, onExceeded: "deny" as const },
  };
  let applied = 0;
  const refund = async (key: string, on = ports) => {
    const actions = [{ action: "ACT" as const, idempotency_key: key }];
    const executor = () => ({ ok: true, value: `receipt-${++applied}` }) as const;
    const { status, reason, actions: rows } = await execute({ action: "ACT", actions }, {}, policy, executor, on);
    return [status, reason ?? rows[0]?.reason, rows[0]?.value];
  };
  assert.deepEqual(await refund("refund-7"), ["success", "completed", "receipt-1"]);
  assert.deepEqual(await refund("refund-7", other), ["success", "replayed", "receipt-1"]);
  assert.deepEqual(await refund("refund-8", other), ["success", "completed", "receipt-2"]);
  assert.deepEqual((await refund("refund-9")).slice(0, 2), ["denied", "rate_limited"]);
  assert.equal(applied, 2);

  const halted = await execute(
    { action: "ACT" },
    {},
    {},
    async (_, { signal }) => {
      await other.killSwitch.halt("drill");
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    },
    { killSwitch: ports.killSwitch },
  );
  assert.deepEqual([halted.status, halted.reason], ["unknown", "kill_switch"]);
}

/** Where the servers are, and a name that no other trial has. */
export function settingOf(name: "EOC_POSTGRES_URL" | "EOC_REDIS_URL" | "EOC_RESTATE" | "EOC_TRIAL"): string {
  const value = process.env[name];
  assert.ok(value, `${name} is not set`);
  return value;
}
