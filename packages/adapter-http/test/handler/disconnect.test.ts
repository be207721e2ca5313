import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { aHeldExecutor, ORDER, openHandler, reportOf } from "./support.js";

async function disconnected(onDisconnect: "finish" | "cancel" | undefined, headers: Record<string, string> = {}) {
  const { held, execute, started } = aHeldExecutor();
  const handler = openHandler({ executor: execute, ...(onDisconnect && { onDisconnect }) });
  const controller = new AbortController();
  const answer = handler.post("/execute", ORDER, headers, { signal: controller.signal });
  await started;
  controller.abort();
  return { ...handler, held, answer };
}

describe("an execution whose caller is gone", () => {
  it("goes on: an approved execution is not stopped by a lost connection", async () => {
    const { held, answer } = await disconnected(undefined);
    expect(held.aborted).toBe(false);
    held.release({ ok: true });
    expect((await reportOf(await answer)).status).toBe("success");
  });

  it("S4.8 is cancelled where onDisconnect says so", async () => {
    const { held, answer } = await disconnected("cancel");
    expect(await reportOf(await answer)).toMatchObject({ attemptCount: 1, haltLatencyMs: expect.any(Number) });
    expect(held.aborted).toBe(true);
  });

  it("goes on where its caller did not mean to stay", async () => {
    const { held } = await disconnected("cancel", { prefer: "respond-async" });
    expect(held.aborted).toBe(false);
    held.release({ ok: true });
  });
});

describe("the signal of a handler's ports", () => {
  it("S4.8 cancels what runs, beside the caller's own, and is let go of afterwards", async () => {
    for (const onDisconnect of ["finish", "cancel"] as const) {
      const shutdown = new AbortController();
      const { held, execute, started } = aHeldExecutor();
      const ports = { signal: shutdown.signal };
      const { order, clock } = openHandler({ executor: execute, onDisconnect, ports });
      const running = order();
      await started;
      shutdown.abort();
      expect((await reportOf(await running)).attemptCount).toBe(1);
      expect(held.aborted).toBe(true);
      expect([getEventListeners(shutdown.signal, "abort"), clock.pending]).toEqual([[], 0]);
    }
  });
});
