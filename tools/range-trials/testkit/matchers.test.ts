import { execute } from "@eoc/core";
import { createScriptedExecutor, createVirtualClock, rejects, succeeds } from "@eoc/testkit";
import { matchers } from "@eoc/testkit/matchers";
import { expect, it } from "vitest";

expect.extend(matchers);

it("retries", async () => {
  const clock = createVirtualClock();
  const executor = createScriptedExecutor([rejects("busy"), succeeds()], { clock });
  const report = await clock.run(() => execute({ action: "ACT" }, {}, {}, executor, { clock }));
  expect(report).toHaveSucceeded();
  expect(executor).toHaveDispatched(2);
  expect(() => expect(report).toBeUnknown()).toThrow();
});
