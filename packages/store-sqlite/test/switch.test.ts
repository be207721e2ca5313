import { renameSync } from "node:fs";
import { execute, type KillSwitchState } from "@eoc/core";
import { describe, expect, it } from "vitest";
import { aFile, opened, until } from "./support.js";

describe("the kill switch", () => {
  it("S2.2 says why, who and when, to every process", async () => {
    const file = aFile();
    const [one, other] = [await opened(file), await opened(file)];
    expect(await other.killSwitch.read()).toEqual({ halted: false });
    await one.killSwitch.halt("pool is empty", "ops");
    expect(await other.killSwitch.read()).toEqual({
      halted: true,
      reason: "pool is empty",
      changedBy: "ops",
      changedAtMs: expect.any(Number),
    });
    await other.killSwitch.clear("ops");
    expect(await one.killSwitch.read()).toEqual({ halted: false, changedBy: "ops", changedAtMs: expect.any(Number) });
    await one.close();
    await other.close();
    expect(await (await opened(file)).killSwitch.read()).toMatchObject({ halted: false, changedBy: "ops" });
  });

  it("S2.4 is heard of by listeners in other processes, every change once", async () => {
    const file = aFile();
    const [one, other] = [await opened(file), await opened(file, { pollMs: 5 })];
    const heard: boolean[] = [];
    const unsubscribe = other.killSwitch.subscribe(({ halted }) => heard.push(halted));
    await other.killSwitch.read();
    await one.killSwitch.halt();
    await until(() => heard.length === 1);
    await one.killSwitch.clear();
    await until(() => heard.length === 2);
    await other.killSwitch.halt();
    expect(heard).toEqual([true, false, true]);
    for (let time = 0; time < 5; time++) await other.killSwitch.read();
    expect(heard).toEqual([true, false, true]);
    unsubscribe();
  });

  it("S2.4 that is thrown already is heard of by who subscribes, the second one too", async () => {
    const { killSwitch } = await opened(aFile(), { pollMs: 5 });
    await killSwitch.halt("before");
    const heard: (string | undefined)[] = [];
    const first = killSwitch.subscribe(({ reason }) => heard.push(reason));
    await until(() => heard.length === 1);
    const second = killSwitch.subscribe(({ reason }) => heard.push(reason));
    await until(() => heard.length === 2);
    expect(heard).toEqual(["before", "before"]);
    first();
    second();
  });

  it("S2.3 that cannot be read halts its listeners, and lets go when it can be read again", async () => {
    const file = aFile();
    const runtime = await opened(file, { pollMs: 5 });
    const heard: KillSwitchState[] = [];
    runtime.killSwitch.subscribe((state) => heard.push(state));
    await runtime.killSwitch.read();
    renameSync(file, `${file}.gone`);
    await until(() => heard.length === 1);
    expect(heard).toEqual([{ halted: true, reason: "the kill switch cannot be read" }]);
    await expect(runtime.killSwitch.read()).rejects.toMatchObject({ code: "replaced" });
    await runtime.close();
    // It stays so: nobody is left who could say otherwise.
    expect(heard).toHaveLength(1);
  });

  it("S2.4 halts what is in flight in another process", async () => {
    const file = aFile();
    const [one, other] = [await opened(file), await opened(file, { pollMs: 5 })];
    let started = () => {};
    const inFlight = new Promise<void>((resolve) => {
      started = resolve;
    });
    const running = execute(
      { action: "ACT" },
      {},
      { timeout: { attemptTimeoutMs: 20_000 } },
      (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
          started();
        }),
      other,
    );
    await inFlight;
    await one.killSwitch.halt("stop");
    const report = await running;
    expect(report).toMatchObject({ status: "unknown", haltLatencyMs: expect.any(Number) });
  });
});
