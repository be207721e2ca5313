import { describe, expect, it } from "vitest";
import {
  createRedisIdempotencyStore,
  createRedisKillSwitch,
  createRedisRateLimiter,
  createRedisRuntime,
} from "../src/index.js";

const OPENERS: ((options: never) => unknown)[] = [
  createRedisIdempotencyStore,
  createRedisKillSwitch,
  createRedisRateLimiter,
  createRedisRuntime,
];

describe("the options of this package", () => {
  for (const open of OPENERS) {
    it(`are refused by ${open.name} where one is misspelt, and where there are none`, () => {
      const refusal = (path: string) =>
        expect.objectContaining({ code: "invalid_option", issues: [expect.objectContaining({ path })] });
      // Under another prefix is another store: its keys are free.
      expect(() => open({ client: {}, prefx: "other" } as never)).toThrow(refusal("prefx"));
      expect(() => open(undefined as never)).toThrow(refusal("options"));
      // Those of another part are not: several share one object.
      const parts = { name: "a", pollMs: 1, abandonedAfterMs: 1, onFailover: "may_dispatch_again", other: undefined };
      expect(() => open({ client: {}, ...parts } as never)).toThrow(refusal("client"));
    });
  }
});
