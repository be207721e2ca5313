import assert from "node:assert/strict";
import { execute } from "@eoc/core";
import { createScriptedExecutor, createVirtualClock } from "@eoc/testkit";
import { anyContext, anyDecision, anyPolicy, anyScript } from "@eoc/testkit/fast-check";
import fc from "fast-check";

let dispatched = 0;
await fc.assert(
  fc.asyncProperty(anyDecision(), anyContext(), anyPolicy(), anyScript(), async (decision, context, policy, script) => {
    const clock = createVirtualClock();
    const executor = createScriptedExecutor(script, { clock });
    const report = await clock.run(() => execute(decision, context, policy, executor, { clock }));
    dispatched += executor.calls.length;
    return report.attemptCount <= executor.calls.length;
  }),
);
assert.ok(dispatched > 0);
