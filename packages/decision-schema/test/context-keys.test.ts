import { describe, expect, it } from "vitest";
import { CONTEXT_KEY_REGISTRY, isValidContextKey, isVolatileContextKey } from "../src/index.ts";

describe("CONTEXT_KEY_REGISTRY", () => {
  it("holds valid context keys, each fully described", () => {
    for (const [key, entry] of Object.entries(CONTEXT_KEY_REGISTRY)) {
      expect(isValidContextKey(key)).toBe(true);
      expect(entry).toEqual({
        type: expect.stringMatching(/./),
        owner: expect.stringMatching(/./),
        producer: expect.stringMatching(/./),
        consumer: expect.stringMatching(/./),
        introduced_in: expect.stringMatching(/^0\.2\.\d+$/),
        description: expect.stringMatching(/^[A-Z].*\.$/),
        volatile: expect.any(Boolean),
      });
    }
  });

  it("S2.1 names every key that can deny, and what ops-health-core writes", () => {
    const keys = ["ops_deny_actions", "ops_state", "ops_cooldown_until_ms", "now_ms", "ops_score", "ops_reasons"];
    for (const key of keys) expect(CONTEXT_KEY_REGISTRY).toHaveProperty(key);
  });
});

describe("isVolatileContextKey", () => {
  it("says what the registry says", () => {
    for (const [key, { volatile }] of Object.entries(CONTEXT_KEY_REGISTRY)) {
      expect(isVolatileContextKey(key), key).toBe(volatile);
    }
  });

  it.each([
    "now_ms",
    "last_event_ts_ms",
    "ops_state",
    "ops_anything",
    "errors_in_window",
    "steps_in_window",
    "rate_limit_events",
    "recent_failures",
  ])("S7.1 is true for %s", (key) => expect(isVolatileContextKey(key)).toBe(true));

  it.each(["run_id", "fail_closed", "order_id", "ops", "constructor", "__proto__", "toString"])(
    "is false for %s",
    (key) => expect(isVolatileContextKey(key)).toBe(false),
  );
});
