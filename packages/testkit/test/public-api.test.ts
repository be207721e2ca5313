import * as testkit from "@eoc/testkit";
import { expect, it } from "vitest";

it("exports exactly what is documented", () => {
  expect(Object.keys(testkit).sort()).toEqual([
    "DeadlockError",
    "aContext",
    "aDecision",
    "aPlan",
    "aPolicy",
    "checkInvariants",
    "createFakeKillSwitch",
    "createFlakyExecutor",
    "createScriptedExecutor",
    "createVirtualClock",
    "createWorld",
    "executorContract",
    "explore",
    "faulty",
    "hangs",
    "idempotencyStoreContract",
    "isDeadlockError",
    "journalContract",
    "killSwitchContract",
    "naiveRetry",
    "rateLimiterContract",
    "rejects",
    "returns",
    "succeeds",
    "succeedsLate",
    "throws",
  ]);
});
