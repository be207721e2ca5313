import { describe, expect, it } from "vitest";
import * as api from "../src/index.js";

describe("@eoc/store-redis", () => {
  it("exports exactly these values", () => {
    expect(Object.keys(api).sort()).toEqual([
      "STORE_ERROR_CODES",
      "StoreError",
      "createRedisIdempotencyStore",
      "createRedisKillSwitch",
      "createRedisRateLimiter",
      "createRedisRuntime",
      "isStoreError",
    ]);
  });
});
