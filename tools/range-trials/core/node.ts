import assert from "node:assert/strict";
import { createManualKillSwitch, createMemoryIdempotencyStore, createMemoryRateLimiter, execute } from "@eoc/core";
import { step } from "@eoc/core/machine";

const decision = { action: "ACT" as const, actions: [{ action: "ACT" as const, idempotency_key: "refund-7" }] };
const policy = {
  retry: { maxRetries: 1, initialBackoffMs: 1 },
  timeout: { attemptTimeoutMs: 1000, maxTotalTimeMs: 5000 },
  rateLimit: { global: { limit: 5, windowMs: 60_000 } },
  idempotency: { enabled: true },
};
const killSwitch = createManualKillSwitch();
const ports = { killSwitch, rateLimiter: createMemoryRateLimiter(), idempotencyStore: createMemoryIdempotencyStore() };
let dispatches = 0;
const executor = () =>
  ++dispatches === 1 ? ({ ok: false, code: "busy" } as const) : ({ ok: true, value: "receipt" } as const);

const first = await execute(decision, {}, policy, executor, ports);
assert.deepEqual([first.status, first.attemptCount, first.actions[0]?.value], ["success", 2, "receipt"]);
const again = await execute(decision, {}, policy, executor, ports);
assert.deepEqual([again.replayedCount, again.attemptCount, dispatches], [1, 0, 2]);

const late = await execute(
  { action: "ACT" },
  {},
  { timeout: { attemptTimeoutMs: 5, abortGraceMs: 5 } },
  () => new Promise(() => {}),
);
assert.deepEqual([late.status, late.actions[0]?.reason], ["unknown", "attempt_timeout"]);

const halted = execute({ action: "ACT" }, {}, {}, () => new Promise(() => killSwitch.halt("drill")), { killSwitch });
assert.deepEqual([(await halted).status, (await halted).reason], ["unknown", "kill_switch"]);
assert.equal(typeof step, "function");
