import { createWorld } from "@eoc/testkit";
import { describe, expect, it } from "vitest";

describe("createWorld", () => {
  it("records every effect in order, keys or no keys", () => {
    const world = createWorld();
    expect(world.apply("a", { key: "k", atMs: 5 })).toBe(true);
    expect(world.apply("a", { key: "k" })).toBe(true);
    expect(world.apply("b")).toBe(true);
    expect(world.effects).toEqual([
      { actionId: "a", key: "k", atMs: 5 },
      { actionId: "a", key: "k" },
      { actionId: "b" },
    ]);
    expect([world.count("a"), world.count("b"), world.count("c"), world.count()]).toEqual([2, 1, 0, 3]);
  });

  it("ignores a key it has seen, where asked to, and goes on applying effects without a key", () => {
    const world = createWorld({ dedupe: true });
    expect([world.apply("a", { key: "k" }), world.apply("a", { key: "k" })]).toEqual([true, false]);
    expect([world.apply("a"), world.apply("a")]).toEqual([true, true]);
    expect(world.count("a")).toBe(3);
  });

  it("knows whether an effect happened, under a key where one is given", () => {
    const world = createWorld();
    world.apply("a", { key: "k" });
    expect([world.has("a"), world.has("a", "k"), world.has("a", "other"), world.has("b")]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});
