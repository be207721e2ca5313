import * as testkit from "@eoc/testkit";
import { expect, it } from "vitest";

it("exports exactly what is documented", () => {
  expect(Object.keys(testkit).sort()).toEqual([
    "DeadlockError",
    "aContext",
    "aDecision",
    "aPlan",
    "aPolicy",
    "createFakeKillSwitch",
    "createFlakyExecutor",
    "createScriptedExecutor",
    "createVirtualClock",
    "createWorld",
    "hangs",
    "isDeadlockError",
    "naiveRetry",
    "rejects",
    "returns",
    "succeeds",
    "succeedsLate",
    "throws",
  ]);
});
