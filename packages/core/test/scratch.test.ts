import { expect, it } from "vitest";
import { execute, createManualKillSwitch, createMemoryIdempotencyStore, createMemoryRateLimiter, reportFromEvents } from "@eoc/core";
import { createVirtualClock } from "../../testkit/src/index.js";
it("runs", async () => {
  const r = await execute({ action: "ACT" } as never, {}, {}, async () => ({ ok: true, value: 3 }));
  console.log(JSON.stringify(r, null, 1), r.actions[0]!.value);
  const clock = createVirtualClock();
  const events: any[] = [];
  let n = 0;
  const r2 = await clock.run(() => execute({ action: "ACT", actions: [{action:"ACT"},{action:"EXIT"},{action:"HOLD"}] }, {a:1}, { maxConcurrency: 2, idempotency: {enabled: true}, rateLimit: {global: {limit: 1, windowMs: 1000}} }, async () => n++ < 2 ? { ok: false, code: "no" } : { ok: true }, { clock, onEvent: (e) => events.push(e), executionId: "x", killSwitch: createManualKillSwitch(), rateLimiter: createMemoryRateLimiter(), idempotencyStore: createMemoryIdempotencyStore({clock}) }));
  for (const {executionId, seq, ...e} of events) console.log(JSON.stringify(e));
  console.log(r2);
  expect(JSON.parse(JSON.stringify(reportFromEvents(events)))).toEqual(JSON.parse(JSON.stringify(r2)));
});
