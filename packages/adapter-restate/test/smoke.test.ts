import { execute, type ExecutionEvent } from "@eoc/core";
import { createVirtualClock } from "@eoc/testkit";
import { expect, it } from "vitest";
import { runDurably, timeless } from "./support.js";

it("runs", async () => {
  const decision = { action: "ACT" as const, actions: [1, 2, 3].map((n) => ({ action: "ACT" as const, id: `a-${n}` })) };
  const events: ExecutionEvent[] = [];
  const clock = createVirtualClock();
  const { report, invocation } = await clock.run(() =>
    runDurably({ clock, decision, executor: async () => ({ ok: true as const }), ports: { onEvent: (e) => events.push(e) } }),
  );
  expect(invocation.entries.map((e) => e.name)).toEqual([]);
  const c2 = createVirtualClock();
  const own: ExecutionEvent[] = [];
  const r2 = await c2.run(() => execute(decision, {}, {}, async () => ({ ok: true as const }), { clock: c2, executionId: "inv-1", onEvent: (e) => own.push(e) }));
  expect(timeless(events)).toEqual(timeless(own));
  expect(report).toEqual(r2);
});
