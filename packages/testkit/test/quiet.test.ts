import { describe, expect, it } from "vitest";
import type { Host } from "../src/host.js";
import { Quiet } from "../src/quiet.js";
import { Timeline } from "../src/timeline.js";

/** A platform by script: `live(step)` is what is alive after so many turns and pauses. Each takes one millisecond. */
function fakeHost(live: ((step: number) => string[]) | undefined) {
  const log = { turns: 0, pauses: 0 };
  const host: Host = {
    turn: async () => {
      log.turns++;
    },
    pause: async () => {
      log.pauses++;
    },
    elapsedMs: () => log.turns + log.pauses,
    after: () => () => {},
    watch: () => () => {},
    ...(live === undefined ? undefined : { liveWork: () => live(log.turns + log.pauses) }),
  };
  return { host, log };
}

const always = () => true;
const repeat = (kind: string, count: number) => Array.from({ length: count }, () => kind);

describe("Quiet", () => {
  it("is reached after one turn when nothing is live that was not live at the beginning", async () => {
    const { host, log } = fakeHost(() => ["PipeWrap", "Timeout"]);
    const quiet = new Quiet(new Timeline(0), host, 1000);
    expect(await quiet.reach(always)).toBe("quiet");
    expect(log).toEqual({ turns: 1, pauses: 0 });
  });

  it("takes four turns on a platform that does not show real work", async () => {
    const { host, log } = fakeHost(undefined);
    expect(await new Quiet(new Timeline(0), host, 1000).reach(always)).toBe("quiet");
    expect(log).toEqual({ turns: 4, pauses: 0 });
  });

  it("takes one turn and looks at nothing where there is said to be no real work, but waits for what is held", async () => {
    for (const live of [undefined, () => ["Timeout", "TCPSocketWrap"]]) {
      const { host, log } = fakeHost(live);
      const timeline = new Timeline(0);
      const quiet = new Quiet(timeline, host, 1000, "none");
      expect(await quiet.reach(always)).toBe("quiet");
      expect(log).toEqual({ turns: 1, pauses: 0 });
      timeline.holds.add({});
      host.turn = async () => {
        if (++log.turns === 4) timeline.holds.clear();
      };
      expect(await quiet.reach(always)).toBe("quiet");
      expect(log.turns).toBe(4);
    }
  });

  it("waits for what is live in addition, turn by turn at first, then pausing", async () => {
    const { host, log } = fakeHost((step) => (step > 0 && step < 11 ? ["Timeout"] : []));
    expect(await new Quiet(new Timeline(0), host, 1000).reach(always)).toBe("quiet");
    // Five turns, then pause and turn by turns.
    expect(log).toEqual({ turns: 8, pauses: 3 });
  });

  it("gives up on what shows no sign of life for the whole patience, and never waits for it again", async () => {
    const { host, log } = fakeHost((step) => (step > 0 ? ["TCPSocketWrap"] : []));
    const quiet = new Quiet(new Timeline(0), host, 50);
    expect(await quiet.reach(always)).toBe("quiet");
    const steps = log.turns + log.pauses;
    expect(steps).toBeGreaterThanOrEqual(50);
    expect(await quiet.reach(always)).toBe("quiet");
    expect(log.turns + log.pauses).toBe(steps + 1);
  });

  it("starts the patience anew with every sign of life", async () => {
    const { host } = fakeHost((step) =>
      step === 0 || step > 200 ? [] : repeat("FSReqPromise", 1 + (Math.trunc(step / 40) % 2)),
    );
    const timeline = new Timeline(0);
    const quiet = new Quiet(timeline, host, 50);
    expect(await quiet.reach(always)).toBe("quiet");
    expect(host.elapsedMs()).toBeGreaterThan(200);
  });

  it("counts a long hold-up of the process as one short look", async () => {
    let nowMs = 0;
    const { host, log } = fakeHost((step) => (step > 0 && step < 5 ? ["Timeout"] : []));
    const held: Host = { ...host, elapsedMs: () => (nowMs += 10_000) };
    expect(await new Quiet(new Timeline(0), held, 100).reach(always)).toBe("quiet");
    expect(log).toEqual({ turns: 4, pauses: 2 });
  });

  it("does not wait for servers and other listeners", async () => {
    const { host, log } = fakeHost((step) => (step > 0 ? ["TCPServerWrap", "SignalWrap", "TTYWrap"] : []));
    expect(await new Quiet(new Timeline(0), host, 1000).reach(always)).toBe("quiet");
    expect(log.turns).toBe(1);
  });

  it("waits for a request although one was under way when the clock was made", async () => {
    const { host, log } = fakeHost((step) => (step < 4 ? ["FSReqPromise"] : []));
    expect(await new Quiet(new Timeline(0), host, 1000).reach(always)).toBe("quiet");
    expect(log.turns).toBe(4);
  });

  it("takes the timer that is left for the test's, when one of the runner's and one of the test's were live", async () => {
    const live = (step: number) => {
      if (step === 0) return ["Timeout"];
      if (step === 1) return ["Timeout", "Timeout"];
      return step < 4 ? ["Timeout"] : [];
    };
    const { host, log } = fakeHost(live);
    expect(await new Quiet(new Timeline(0), host, 1000).reach(always)).toBe("quiet");
    expect(log.turns).toBe(4);
  });

  it("waits a short time only for what was live before a run began", async () => {
    let isRunning = false;
    const { host, log } = fakeHost(() => (isRunning ? ["Timeout"] : []));
    const quiet = new Quiet(new Timeline(0), host, 1000);
    isRunning = true;
    quiet.startRun();
    expect(await quiet.reach(always)).toBe("quiet");
    expect(log.turns + log.pauses).toBeGreaterThanOrEqual(30);
    expect(log.turns + log.pauses).toBeLessThan(50);
  });

  it("ends at once when nobody wants it any more", async () => {
    const { host, log } = fakeHost((step) => (step > 0 ? ["Timeout"] : []));
    expect(await new Quiet(new Timeline(0), host, 1000).reach(() => log.turns < 3)).toBe("unwanted");
  });

  it("reports declared work that outlasts the patience, once", async () => {
    const { host } = fakeHost(() => []);
    const timeline = new Timeline(0);
    timeline.holds.add({});
    const quiet = new Quiet(timeline, host, 20);
    expect(await quiet.reach(always)).toBe("stuck");
    expect(await quiet.reach(always)).toBe("quiet");
  });

  it("lasts when nothing happens for a hundred pauses, longer where something may be under way unseen", async () => {
    const sure = fakeHost(() => []);
    expect(await new Quiet(new Timeline(0), sure.host, 1000).lasts(always)).toBe("quiet");
    expect(sure.log.pauses).toBe(100);

    const blind = fakeHost(undefined);
    expect(await new Quiet(new Timeline(0), blind.host, 1000).lasts(always)).toBe("quiet");
    expect(blind.log.pauses).toBe(500);
  });

  it("gives up in time for a dead end to be told within the patience", async () => {
    const { host, log } = fakeHost((step) => (step === 0 ? [] : ["Timeout"]));
    const quiet = new Quiet(new Timeline(0), host, 1000);
    expect(await quiet.reach(always, always)).toBe("quiet");
    expect(await quiet.lasts(always)).toBe("quiet");
    // Each turn and each pause takes a millisecond.
    expect(log.turns + log.pauses).toBeGreaterThan(700);
    expect(log.turns + log.pauses).toBeLessThan(1000);
  });

  it("does not last when a timer is armed meanwhile", async () => {
    const timeline = new Timeline(0);
    const { host, log } = fakeHost(() => []);
    const pausing: Host = {
      ...host,
      pause: async () => {
        await host.pause();
        if (log.pauses === 10) timeline.arm(() => {}, 1);
      },
    };
    expect(await new Quiet(timeline, pausing, 1000).lasts(always)).toBe("unwanted");
    expect(log.pauses).toBe(10);
  });
});
