import { describe, expect, it } from "vitest";
import {
  checkOptionNames,
  createBulkhead,
  createMemoryIdempotencyStore,
  createMemoryRateLimiter,
  createRedactor,
  createRetryBudget,
} from "../src/index.js";

const refusal = (path: string, expected: string, received: string) =>
  expect.objectContaining({
    name: "EocError",
    code: "invalid_option",
    message: `${path} must be ${expected}, not ${received}`,
    issues: [{ path, expected, received }],
  });

const FACTORIES: [make: (options: never) => unknown, options: object, misspelt: string, known: string][] = [
  [createBulkhead, { limit: 1 }, "queueLimits", "limit, queueLimit"],
  [createMemoryIdempotencyStore, {}, "maxEntry", "clock, maxEntries, ttlMs"],
  [createMemoryRateLimiter, {}, "maxKey", "maxKeys"],
  [createRedactor, {}, "secret", "keys, allowKeys, valuePatterns, secrets, mask"],
  [createRetryBudget, { capacity: 1, refillPerSuccess: 1 }, "refillPerSucces", "capacity, refillPerSuccess"],
];

describe("the options of a factory", () => {
  for (const [make, options, misspelt, known] of FACTORIES) {
    it(`of ${make.name} are refused where one is misspelt, and where they are no object`, () => {
      expect(() => make({ ...options, [misspelt]: 3 } as never)).toThrow(
        refusal(misspelt, `one of ${known}`, "an unknown field"),
      );
      expect(() => make(3 as never)).toThrow(refusal("options", "an object", "number"));
      expect(() => make(null as never)).toThrow(refusal("options", "an object", "null"));
      expect(() => make({ ...options, [misspelt]: undefined } as never)).not.toThrow();
    });
  }

  it("may be said to be undefined: that is as if they were not there", () => {
    const none = (options: Record<string, undefined>) => options as never;
    expect(() => createRedactor(none({ keys: undefined, secrets: undefined, mask: undefined }))).not.toThrow();
    expect(() => createMemoryIdempotencyStore(none({ clock: undefined, ttlMs: undefined }))).not.toThrow();
    expect(() => createMemoryRateLimiter(none({ maxKeys: undefined }))).not.toThrow();
  });
});

describe("checkOptionNames", () => {
  it("says where the options are, when they are among others", () => {
    const options = { every: 5, evry: 7 };
    expect(() => checkOptionNames(options as { every: number }, { every: true }, "checkpoints")).toThrow(
      refusal("checkpoints.evry", "one of every", "an unknown field"),
    );
    expect(() => checkOptionNames("x" as never, {}, "checkpoints")).toThrow(
      refusal("checkpoints", "an object", "string"),
    );
  });

  it("takes no name for known that every object has", () => {
    expect(() => checkOptionNames({ toString: 1 } as object, {})).toThrow(
      refusal("toString", "one of ", "an unknown field"),
    );
  });
});
