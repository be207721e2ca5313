import type { KillSwitchState } from "@eoc/core";
import { createVirtualClock, type VirtualClock } from "@eoc/testkit";
import { describe, expect, it } from "vitest";
import { InTime, type ListenHooks, SwitchWatch, type VersionedState } from "../src/index.js";

const OPEN = { halted: false };
const HALTED = { halted: true, reason: "test" };

/** A watch over a server that is made of what the test says. */
function openWatch(clock: VirtualClock, { canListen = true } = {}) {
  const server = {
    state: { version: 1, state: OPEN } as VersionedState,
    isUp: true,
    connections: 0,
    polls: 0,
    hooks: undefined as ListenHooks | undefined,
  };
  const fail = () => new Error("down");
  const errors = { timeout: fail, closed: fail, failed: (error: unknown) => error };
  const inTime = new InTime({ clock, timeoutMs: 500, errors });
  const watch = new SwitchWatch({
    clock,
    inTime,
    pollMs: 1000,
    listen: async (hooks) => {
      if (!canListen) throw new Error("cannot listen");
      server.connections++;
      server.hooks = hooks;
      const end = () => {
        if (server.hooks === hooks) server.hooks = undefined;
        server.connections--;
      };
      return { leave: async () => end(), drop: end };
    },
    poll: () => {
      server.polls++;
      return server.isUp ? Promise.resolve(server.state) : new Promise<never>(() => {});
    },
    parse: (message) => JSON.parse(message) as VersionedState,
  });
  const heard: KillSwitchState[] = [];
  watch.subscribe((state) => heard.push(state));
  const publish = (state: VersionedState) => server.hooks?.heard(JSON.stringify(state));
  return { watch, server, heard, publish };
}

function inVirtualTime(body: (bench: ReturnType<typeof openWatch> & { clock: VirtualClock }) => Promise<void>) {
  return async () => {
    const clock = createVirtualClock();
    const bench = openWatch(clock);
    await clock.advance(0);
    await body({ ...bench, clock });
    await bench.watch.close();
    expect([clock.pending, bench.server.connections]).toEqual([0, 0]);
  };
}

describe("the watch of a switch", () => {
  it(
    "S2.4 tells what is heard at once, and what is polled within pollMs",
    inVirtualTime(async ({ server, heard, publish, clock }) => {
      expect(heard).toEqual([]);
      publish({ version: 2, state: HALTED });
      expect(heard).toEqual([HALTED]);
      server.state = { version: 3, state: OPEN };
      await clock.advance(1000);
      expect(heard).toEqual([HALTED, OPEN]);
    }),
  );

  it(
    "S2.2 news that is overtaken is not told",
    inVirtualTime(async ({ watch, heard, publish }) => {
      watch.learn({ version: 7, state: OPEN });
      publish({ version: 6, state: HALTED });
      expect(heard).toEqual([]);
    }),
  );

  it(
    "a server that has lost its newest version is believed by the next poll",
    inVirtualTime(async ({ watch, server, heard, clock }) => {
      watch.learn({ version: 7, state: OPEN });
      server.state = { version: 3, state: HALTED };
      await clock.advance(1000);
      expect(heard).toEqual([HALTED]);
    }),
  );

  it(
    "S2.3 a server that stops to answer halts, and is asked ever less often, until it is back",
    inVirtualTime(async ({ server, heard, clock }) => {
      server.isUp = false;
      await clock.advance(1500);
      expect(heard).toMatchObject([{ halted: true }]);
      const before = server.polls;
      await clock.advance(60_000);
      expect(server.polls - before).toBeLessThan(15);
      expect(server.polls - before).toBeGreaterThan(5);
      server.isUp = true;
      await clock.advance(11_000);
      expect(heard).toMatchObject([{ halted: true }, OPEN]);
    }),
  );

  it(
    "S2.3 a connection that is lost halts at once, and another one is made",
    inVirtualTime(async ({ server, heard, clock }) => {
      server.hooks!.lost();
      expect(heard).toMatchObject([{ halted: true }]);
      await clock.advance(0);
      expect(heard).toMatchObject([{ halted: true }, OPEN]);
      expect(server.connections).toBe(1);
    }),
  );

  it("S2.3 who begins while the server is away hears it from his own read first, and of a halt when it stays away", async () => {
    const clock = createVirtualClock();
    const bench = openWatch(clock, { canListen: false });
    await clock.advance(50);
    expect(bench.heard).toEqual([]);
    await clock.advance(60);
    expect(bench.heard).toMatchObject([{ halted: true }]);
    await bench.watch.close();
    expect(clock.pending).toBe(0);
  });
});
