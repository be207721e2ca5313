import { describe, expect, it } from "vitest";
import { contextDenies } from "../../src/policy/context-denies.js";

const at = (nowMs: number) => ({ now: () => nowMs });

describe("contextDenies (S2.1)", () => {
  it.each([
    ["a cooldown that is no number", { ops_cooldown_until_ms: "soon" }],
    ["a cooldown that is not a number", { ops_cooldown_until_ms: Number.NaN }],
    ["a cooldown later than the clock, where now_ms is no number", { ops_cooldown_until_ms: 1001, now_ms: "1002" }],
    [
      "a cooldown later than the clock, where now_ms is not a number",
      { ops_cooldown_until_ms: 1001, now_ms: Number.NaN },
    ],
    ["a cooldown later than now_ms, whatever the clock says", { ops_cooldown_until_ms: 900, now_ms: 899 }],
    ["anything but a plain no in ops_deny_actions", { ops_deny_actions: Number.NaN }],
  ])("denies on %s", (_, context) => {
    expect(contextDenies(context as never, at(1000))).toBe(true);
  });

  it.each([
    ["nothing", {}],
    ["a cooldown that is null", { ops_cooldown_until_ms: null }],
    ["a cooldown that ends now", { ops_cooldown_until_ms: 1000 }],
    ["a cooldown that ended before now_ms, whatever the clock says", { ops_cooldown_until_ms: 5000, now_ms: 5000 }],
    ["a denial of −0", { ops_deny_actions: -0 }],
  ])("allows on %s", (_, context) => {
    expect(contextDenies(context as never, at(1000))).toBe(false);
  });

  it("does not ask the clock where nothing depends on it", () => {
    expect(contextDenies({ ops_cooldown_until_ms: 1, now_ms: 1 } as never, { now: () => expect.unreachable() })).toBe(
      false,
    );
  });
});
