import { describe, expect, it } from "vitest";
import { aHeldExecutor, ORDER, openHandler, problemOf } from "./support.js";

const KEY = { "idempotency-key": '"order-1-2026-11-06"' };

describe("POST /execute with an Idempotency-Key", () => {
  it("executes once, and answers every repetition alike", async () => {
    const { order, effects } = openHandler();
    const answers = [await order(KEY), await order(KEY), await order(KEY)];
    const [first, ...others] = await Promise.all(answers.map(async (answer) => [answer.status, await answer.text()]));
    expect(others).toEqual([first, first]);
    expect(effects).toEqual(["order-1"]);
  });

  it("executes once when repetitions come at the same time, and asks the others to come back", async () => {
    const { held, execute, started } = aHeldExecutor();
    const { order } = openHandler({ executor: execute });
    const both = [order(KEY), order(KEY)];
    await started;
    const refused = await Promise.race(both);
    expect(await problemOf(refused)).toEqual([409, "execution_running"]);
    held.release({ ok: true });
    expect((await Promise.all(both)).map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(held.calls).toBe(1);
  });

  it("takes the quoted and the bare form for the same key", async () => {
    const { order, effects } = openHandler();
    await order(KEY);
    await order({ "idempotency-key": "order-1-2026-11-06" });
    expect(effects).toHaveLength(1);
  });

  it("refuses another body under the same key", async () => {
    const { order, post, effects } = openHandler();
    await order(KEY);
    const decision = { ...ORDER.decision, reasons: ["once more"] };
    expect(await problemOf(await post("/execute", { decision }, KEY))).toEqual([422, "idempotency_key_reused"]);
    expect(effects).toHaveLength(1);
  });

  it("refuses a key that is malformed", async () => {
    const { order, effects } = openHandler();
    const malformed = ["", '""', '"a", "b"', '"a', "é", "x".repeat(256)];
    for (const key of malformed) {
      expect([key, await problemOf(await order({ "idempotency-key": key }))]).toEqual([
        key,
        [400, "invalid_idempotency_key"],
      ]);
    }
    expect(effects).toEqual([]);
  });

  it("does not use a key up when the request is not approved", async () => {
    let approved = false;
    const { order, effects } = openHandler({
      approval: () => (approved ? { digest: "d" } : undefined),
    });
    expect(await problemOf(await order(KEY))).toEqual([403, "not_approved"]);
    approved = true;
    expect((await order(KEY)).status).toBe(200);
    expect(effects).toEqual([]);
  });

  it("knows a key for as long as its execution is remembered", async () => {
    const { order, effects, clock } = openHandler({ remember: { maxAgeMs: 1000 } });
    await order(KEY);
    await clock.advance(999);
    await order(KEY);
    expect(effects).toHaveLength(1);
    await clock.advance(1);
    await order(KEY);
    expect(effects).toHaveLength(2);
  });
});
