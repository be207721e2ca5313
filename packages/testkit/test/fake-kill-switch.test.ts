import { createFakeKillSwitch, createVirtualClock } from "@eoc/testkit";
import { describe, expect, it } from "vitest";

describe("createFakeKillSwitch", () => {
  it("is clear until halted, and tells every listener of each change until it unsubscribes", () => {
    const killSwitch = createFakeKillSwitch();
    const heard: string[] = [];
    const listener = (state: { halted: boolean; reason?: string }) => heard.push(state.reason ?? String(state.halted));
    const unsubscribe = killSwitch.subscribe(listener);
    killSwitch.subscribe(listener);
    expect(killSwitch.listenerCount).toBe(2);
    expect(killSwitch.read()).toEqual({ halted: false });

    killSwitch.halt("fire drill");
    expect(killSwitch.read()).toEqual({ halted: true, reason: "fire drill" });
    unsubscribe();
    unsubscribe();
    expect(killSwitch.listenerCount).toBe(1);
    killSwitch.clear();
    killSwitch.halt();
    expect(killSwitch.read()).toEqual({ halted: true });
    expect(heard).toEqual(["fire drill", "fire drill", "false", "true"]);
  });

  it("answers its first reads by script and keeps a log with times", async () => {
    const clock = createVirtualClock({ startMs: 0 });
    const script = [
      "clear",
      "halted",
      "throws",
      "rejects",
      "garbage",
      { halted: false, reason: "x" },
      () => 7,
    ] as const;
    const killSwitch = createFakeKillSwitch(script, { clock });
    expect(killSwitch.read()).toEqual({ halted: false });
    await clock.advance(10);
    expect(killSwitch.read()).toMatchObject({ halted: true });
    expect(() => killSwitch.read()).toThrow("unreadable");
    await expect(killSwitch.read()).rejects.toThrow("unreadable");
    expect(killSwitch.read()).not.toHaveProperty("halted");
    expect(killSwitch.read()).toEqual({ halted: false, reason: "x" });
    expect(killSwitch.read()).toBe(7);
    killSwitch.halt();
    expect(killSwitch.read()).toEqual({ halted: true });
    expect(killSwitch.reads.map(({ did }) => did)).toEqual([
      "clear",
      "halted",
      "throws",
      "rejects",
      "garbage",
      "state",
      "function",
      "state",
    ]);
    expect(killSwitch.reads.map(({ atMs }) => atMs)).toEqual([0, 10, 10, 10, 10, 10, 10, 10]);
  });

  it("never answers a read that hangs", async () => {
    const killSwitch = createFakeKillSwitch(["hangs"]);
    const answer = Promise.resolve(killSwitch.read()).then(() => "answered");
    expect(await Promise.race([answer, new Promise((resolve) => setImmediate(() => resolve("silent")))])).toBe(
      "silent",
    );
  });

  it("hands out copies of its state", () => {
    const killSwitch = createFakeKillSwitch();
    killSwitch.halt("mine");
    Object.assign(killSwitch.read(), { halted: false });
    expect(killSwitch.read()).toEqual({ halted: true, reason: "mine" });
  });
});
