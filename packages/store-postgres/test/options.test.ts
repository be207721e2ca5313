import { describe, expect, it } from "vitest";
import {
  createPostgresIdempotencyStore,
  createPostgresKillSwitch,
  createPostgresRateLimiter,
  createPostgresRuntime,
  migratePostgres,
} from "../src/index.js";

const OPENERS: ((options: never) => unknown)[] = [
  createPostgresIdempotencyStore,
  createPostgresKillSwitch,
  createPostgresRateLimiter,
  createPostgresRuntime,
  migratePostgres,
];

describe("the options of this package", () => {
  for (const open of OPENERS) {
    it(`are refused by ${open.name} where one is misspelt, and where there are none`, async () => {
      const opening = async (options: unknown) => open(options as never);
      const refusal = (path: string) => ({ name: "EocError", code: "invalid_option", issues: [{ path }] });
      // A schema of another name is another store: its keys are free.
      await expect(opening({ pool: {}, shema: "other" })).rejects.toMatchObject(refusal("shema"));
      await expect(opening(undefined)).rejects.toMatchObject({ name: "EocError", code: "invalid_option" });
      // Those of another part are not: several share one object.
      const shared = { pool: {}, name: "a", pollMs: 1, listen: "off", abandonedAfterMs: 1, other: undefined };
      await expect(opening(shared)).rejects.toMatchObject(refusal("pool"));
    });
  }
});
