import { setImmediate } from "node:timers/promises";
import type { KillSwitchState } from "@eoc/core";
import { describe, expect, it } from "vitest";
import type { ControlledSwitch } from "../../src/handler/control.js";
import { aHeldExecutor, openHandler, problemOf, reportOf, TOKEN } from "./support.js";

const bearer = { authorization: `Bearer ${TOKEN}` };
const control = { control: { token: TOKEN } };

describe("/control", () => {
  it("shows and throws the kill switch of every execution", async () => {
    const { get, post, order, killSwitch, effects } = openHandler(control);
    expect(await (await get("/control", bearer)).json()).toEqual({ halted: false });
    const halted = await post("/control", { halted: true, reason: "drill" }, bearer);
    expect([halted.status, await halted.json()]).toEqual([200, { halted: true, reason: "drill" }]);
    expect(killSwitch.read()).toEqual({ halted: true, reason: "drill" });
    expect((await reportOf(await order())).status).toBe("denied");
    expect(await (await post("/control", { halted: false }, bearer)).json()).toEqual({ halted: false });
    expect((await reportOf(await order())).status).toBe("success");
    expect(effects).toHaveLength(1);
  });

  it("S2.4 stops what is in flight", async () => {
    const { held, execute, started } = aHeldExecutor();
    const { post, order } = openHandler({ ...control, executor: execute });
    const running = order();
    await started;
    await post("/control", { halted: true }, bearer);
    expect(await reportOf(await running)).toMatchObject({ attemptCount: 1, haltLatencyMs: expect.any(Number) });
    expect(held.aborted).toBe(true);
  });

  it("changes nothing without the token, or for a body that is not understood", async () => {
    const { get, post, killSwitch } = openHandler(control);
    const headers = ["", "Bearer", "Bearer ", `Basic ${TOKEN}`, `Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(1)}`, TOKEN];
    for (const authorization of headers) {
      expect([authorization, await problemOf(await post("/control", { halted: true }, { authorization }))]).toEqual([
        authorization,
        [401, "not_authenticated"],
      ]);
      expect((await get("/control", { authorization })).status).toBe(401);
    }
    const bodies = [
      {},
      { halted: 1 },
      { halted: true, reason: 7 },
      { halted: true, reason: "x".repeat(501) },
      [],
      null,
    ];
    for (const body of [...bodies, { halted: true, because: "" }, { halted: false, reason: "over" }]) {
      expect([body, await problemOf(await post("/control", body, bearer))]).toEqual([body, [400, "invalid_control"]]);
    }
    expect(killSwitch.read()).toEqual({ halted: false });
  });

  it("is not let in by authorize, nor counted by the rate limit", async () => {
    const limited = { rateLimit: { limit: 1, windowMs: 60_000 } };
    const { post, order, killSwitch } = openHandler({ ...control, ...limited, authorize: () => true });
    await order();
    expect((await order()).status).toBe(429);
    expect((await post("/control", { halted: true })).status).toBe(401);
    expect((await post("/control", { halted: true }, bearer)).status).toBe(200);
    expect(killSwitch.read().halted).toBe(true);
  });

  it("takes the scheme in any case, as RFC 9110 has it", async () => {
    const { get } = openHandler(control);
    expect((await get("/control", { authorization: `bEARER  ${TOKEN}` })).status).toBe(200);
  });

  it("says no more of a state than it has to", async () => {
    const state = { halted: true, reason: 7, secret: "s3cr3t" };
    const { get } = openHandler({
      ...control,
      ports: { killSwitch: { read: () => state, halt: () => {}, clear: () => {} } as never },
    });
    expect(await (await get("/control", bearer)).json()).toEqual({ halted: true });
  });
});

/** A switch as stores have it: thrown some time after it was told to be, or not at all. */
function aStoredSwitch(fails?: Error) {
  let state: KillSwitchState = { halted: false };
  const change = async (next: KillSwitchState) => {
    for (let turn = 0; turn < 10; turn++) await setImmediate();
    if (fails !== undefined) throw fails;
    state = next;
  };
  return {
    read: async () => state,
    halt: (reason?: string) => change({ halted: true, ...(reason === undefined ? {} : { reason }) }),
    clear: () => change({ halted: false }),
  } satisfies ControlledSwitch;
}

describe("/control of a switch that is thrown asynchronously", () => {
  it("answers when it is thrown, with what it says then", async () => {
    const { post, order, effects } = openHandler({ ...control, ports: { killSwitch: aStoredSwitch() } });
    const halted = await post("/control", { halted: true, reason: "drill" }, bearer);
    expect([halted.status, await halted.json()]).toEqual([200, { halted: true, reason: "drill" }]);
    expect((await reportOf(await order())).status).toBe("denied");
    expect(await (await post("/control", { halted: false }, bearer)).json()).toEqual({ halted: false });
    expect((await reportOf(await order())).status).toBe("success");
    expect(effects).toHaveLength(1);
  });

  it("says when it could not be thrown, and lets the process live", async () => {
    const broken = new Error("s3cr3t");
    const { post, faults } = openHandler({ ...control, ports: { killSwitch: aStoredSwitch(broken) } });
    for (const halted of [true, false]) {
      const answer = await problemOf(await post("/control", { halted }, bearer));
      expect(answer).toEqual([503, "kill_switch_unavailable"]);
    }
    // A rejection that nobody handled would have failed this run.
    expect(faults).toEqual(Array(2).fill(["kill_switch", broken]));
  });
});

describe("GET /health", () => {
  it("says whether executions run, to everybody", async () => {
    const { get, killSwitch } = openHandler({ authorize: () => false });
    expect(await (await get("/health")).json()).toEqual({ status: "ok" });
    killSwitch.halt("s3cr3t");
    const halted = await get("/health");
    expect([halted.status, await halted.json()]).toEqual([200, { status: "halted" }]);
  });
});
