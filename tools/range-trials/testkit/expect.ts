import assert from "node:assert/strict";
import { execute } from "@eoc/core";
import { createScriptedExecutor, createVirtualClock, rejects, succeeds } from "@eoc/testkit";
import { matchers } from "@eoc/testkit/jest";
import { expect } from "expect";

expect.extend(matchers);
const clock = createVirtualClock();
const executor = createScriptedExecutor([rejects("busy"), succeeds()], { clock });
const report = await clock.run(() => execute({ action: "ACT" }, {}, {}, executor, { clock }));
expect(report).toHaveSucceeded();
expect(executor).toHaveDispatched(2);
assert.throws(() => expect(report).toBeUnknown(), /expected unknown; got success/);
