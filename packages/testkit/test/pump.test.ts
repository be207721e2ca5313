import { describe, expect, it } from "vitest";
import type { Host } from "../src/host.js";
import { Pump } from "../src/pump.js";
import { Timeline } from "../src/timeline.js";

function watchingHost() {
  const log = { watchers: 0, watches: 0 };
  const host: Host = {
    turn: () => new Promise((resolve) => setImmediate(resolve)),
    pause: () => new Promise((resolve) => setImmediate(resolve)),
    elapsedMs: () => 0,
    after: () => () => {},
    liveWork: () => [],
    watch: () => {
      log.watchers++;
      log.watches++;
      return () => {
        log.watchers--;
      };
    },
  };
  return { host, log };
}

describe("Pump", () => {
  it("watches the host from before a run's function is called until its promise settles, and no longer", async () => {
    const { host, log } = watchingHost();
    const timeline = new Timeline(0);
    const pump = new Pump(timeline, host, { realWorkPatienceMs: 1000, maxTimers: 10 });
    const wait = () => new Promise<void>((resolve) => timeline.arm(resolve, 10));
    expect(await pump.run(() => wait().then(() => log.watchers))).toBe(1);
    expect(log).toEqual({ watchers: 0, watches: 1 });
    let during = 0;
    await pump.run(() => {
      during = log.watchers;
    });
    expect([during, log.watchers]).toEqual([1, 0]);
    await Promise.all([pump.run(wait), pump.pumpUntil(timeline.monotonicMs + 5), pump.pumpUntil("idle")]);
    expect(log).toEqual({ watchers: 0, watches: 3 });
    await expect(pump.run(() => new Promise(() => {}))).rejects.toThrow("nothing can happen any more");
    expect(log.watchers).toBe(0);
  });

  it("gives up an advance whose timers never end, too", async () => {
    const { host } = watchingHost();
    const timeline = new Timeline(0);
    const pump = new Pump(timeline, host, { realWorkPatienceMs: 1000, maxTimers: 10 });
    const again = (): void => {
      timeline.arm(again, 0);
    };
    again();
    await expect(pump.pumpUntil(5)).rejects.toThrow("10 timers have fired");
    await expect(pump.pumpUntil("idle")).rejects.toThrow("10 timers have fired");
  });
});
