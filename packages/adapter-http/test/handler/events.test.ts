import { getEventListeners } from "node:events";
import { createVirtualClock } from "@eoc/testkit";
import { describe, expect, it } from "vitest";
import { createEventLog, type EventLog } from "../../src/handler/event-log.js";
import { createEventStreams } from "../../src/handler/event-stream.js";
import { aHeldExecutor, type Message, messagesOf, openHandler } from "./support.js";

/** Reads a stream piece by piece. */
function readerOf(response: Response) {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  return {
    next: async (): Promise<Message[]> => messagesOf((await reader.read()).value ?? ""),
    ended: async () => (await reader.read()).done,
    cancel: () => reader.cancel(),
  };
}

/** A running execution, and the path of its events. */
async function runningExecution(options: Parameters<typeof openHandler>[0] = {}) {
  const { held, execute, started } = aHeldExecutor();
  const handler = openHandler({ executor: execute, ...options });
  const response = await handler.order({ prefer: "respond-async" });
  const path = `/${response.headers.get("location")}/events`;
  await started;
  const finish = async () => {
    held.release({ ok: true });
    await handler.clock.runUntilIdle();
  };
  return { ...handler, held, path, finish };
}

const ids = (messages: readonly Message[]) => messages.map(({ id }) => Number(id));

describe("GET /executions/:id/events", () => {
  it("sends every event with its number and type, as it happens, and ends with the execution", async () => {
    const { get, path, held } = await runningExecution();
    const response = await get(path);
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    expect(response.headers.get("cache-control")).toBe("no-store, no-transform");
    const reader = readerOf(response);
    const before = await reader.next();
    expect(before.map(({ event }) => event)).toEqual([
      "execution.started",
      "action.started",
      "attempt.intended",
      "attempt.started",
    ]);
    held.release({ ok: true });
    const after: Message[] = [];
    while (after.at(-1)?.event !== "execution.finished") after.push(...(await reader.next()));
    expect(await reader.ended()).toBe(true);
    const all = [...before, ...after];
    expect(ids(all)).toEqual(all.map((_, index) => index));
    expect(all.map(({ data }) => data)).toMatchObject(all.map(({ event, id }) => ({ type: event, seq: Number(id) })));
  });

  it("goes on after Last-Event-ID", async () => {
    const { get, path, finish } = await runningExecution();
    await finish();
    const all = messagesOf(await (await get(path)).text());
    for (const last of ["0", "3", String(all.length - 2)]) {
      const rest = messagesOf(await (await get(path, { "last-event-id": last })).text());
      expect(rest).toEqual(all.slice(Number(last) + 1));
    }
    for (const unreadable of ["", "-1", "1.5", "seven", "99", "9".repeat(20)]) {
      expect(messagesOf(await (await get(path, { "last-event-id": unreadable })).text())).toEqual(all);
    }
  });

  it("tells a client that has everything not to come back", async () => {
    const { get, path, finish } = await runningExecution();
    await finish();
    const all = messagesOf(await (await get(path)).text());
    const response = await get(path, { "last-event-id": all.at(-1)!.id! });
    expect([response.status, response.body]).toEqual([204, null]);
  });

  it("waits for what comes after a Last-Event-ID that is up to date", async () => {
    const { get, path, finish } = await runningExecution();
    const response = await get(path, { "last-event-id": "3" });
    const text = response.text();
    await finish();
    expect(ids(messagesOf(await text))[0]).toBe(4);
  });

  it("says something whenever it has been idle for keepAliveMs", async () => {
    const { get, path, clock, finish } = await runningExecution({
      keepAliveMs: 500,
      policy: { timeout: { attemptTimeoutMs: 20_000 } },
    });
    const reader = readerOf(await get(path));
    await reader.next();
    for (let times = 0; times < 3; times++) {
      const next = reader.next();
      await clock.advance(500);
      expect(await next).toEqual([{ comment: "keep-alive" }]);
    }
    await finish();
    expect((await reader.next()).length).toBeGreaterThan(0);
  });

  it("says something every five seconds by default", async () => {
    const { get, path, clock, finish } = await runningExecution({ policy: { timeout: { attemptTimeoutMs: 20_000 } } });
    const reader = readerOf(await get(path));
    await reader.next();
    let said: Message[] | undefined;
    const next = reader.next().then((messages) => {
      said = messages;
    });
    await clock.advance(4999);
    expect(said).toBeUndefined();
    await clock.advance(1);
    await next;
    expect(said).toEqual([{ comment: "keep-alive" }]);
    await finish();
  });

  it("serves several readers, each at its own pace", async () => {
    const { get, path, finish } = await runningExecution();
    const [fast, slow] = [await get(path), await get(path)];
    const reader = readerOf(fast);
    await reader.next();
    await finish();
    expect(ids(messagesOf(await slow.text())).length).toBeGreaterThan(4);
    expect(ids(await reader.next())[0]).toBe(4);
  });

  it("keeps the last maxEvents only, and says which are gone", async () => {
    const { get, path, finish } = await runningExecution({ remember: { maxEvents: 2 } });
    const slow = await get(path);
    await finish();
    const [gap, ...kept] = messagesOf(await slow.text());
    expect(kept).toHaveLength(2);
    expect(gap).toEqual({ event: "events.dropped", data: { from: 0, to: Number(kept[0]!.id) - 1 } });
    expect(kept.at(-1)!.event).toBe("execution.finished");
    const resumed = messagesOf(await (await get(path, { "last-event-id": "1" })).text());
    expect(resumed[0]).toMatchObject({ event: "events.dropped", data: { from: 2 } });
  });

  it("sends many events in pieces, none of them lost", async () => {
    const executor = () => ({ ok: true }) as const;
    const { post, get } = openHandler({ executor });
    const actions = Array.from({ length: 200 }, (_, index) => ({ action: "ACT", id: `order-${index}` }));
    const { executionId } = (await (await post("/execute", { decision: { action: "ACT", actions } })).json()) as {
      executionId: string;
    };
    const messages = messagesOf(await (await get(`/executions/${executionId}/events`)).text());
    expect(messages.length).toBeGreaterThan(800);
    expect(ids(messages)).toEqual(messages.map((_, index) => index));
  });

  it("S4.5 keeps what happened after the end for those who come back", async () => {
    const settled: (() => void)[] = [];
    const { post, get, clock } = openHandler({
      executor: () => new Promise((resolve) => settled.push(() => resolve({ ok: true }))),
    });
    const response = await clock.run(() => post("/execute", { decision: { action: "ACT" } }));
    const { executionId } = (await response.json()) as { executionId: string };
    const path = `/executions/${executionId}/events`;
    const before = messagesOf(await (await get(path)).text());
    expect(before.at(-1)!.event).toBe("execution.finished");
    settled[0]!();
    await clock.runUntilIdle();
    const after = messagesOf(await (await get(path, { "last-event-id": before.at(-1)!.id! })).text());
    expect(after.map(({ event }) => event)).toEqual(["attempt.settled_late"]);
  });

  it("leaves no timer and no listener behind, whichever way it ends", async () => {
    const endings: Record<
      string,
      (reader: ReturnType<typeof readerOf>, controller: AbortController) => Promise<unknown>
    > = {
      cancelled: (reader) => reader.cancel(),
      aborted: async (reader, controller) => {
        const next = reader.next();
        controller.abort();
        await expect(next).rejects.toThrow();
      },
    };
    for (const [ending, end] of Object.entries(endings)) {
      const { get, path, clock, finish } = await runningExecution({ maxStreams: 1 });
      const before = clock.pending;
      const controller = new AbortController();
      const response = await get(path, {}, { signal: controller.signal });
      const reader = readerOf(response);
      await reader.next();
      const waiting = ending === "cancelled" ? reader.next().catch(() => []) : undefined;
      await Promise.resolve();
      await end(reader, controller);
      await waiting;
      expect([ending, clock.pending]).toEqual([ending, before]);
      // The place is free again.
      expect((await get(path)).status).toBe(200);
      await finish();
      expect([ending, clock.pending]).toEqual([ending, 0]);
    }
  });

  it("S4.6 listens to the execution once, however long it was quiet", async () => {
    const clock = createVirtualClock();
    const waiting = new Set<() => void>();
    const log = createEventLog(10, () => {});
    const counted: EventLog = Object.create(log, {
      wait: {
        value: (listener: () => void) => {
          waiting.add(listener);
          return () => waiting.delete(listener);
        },
      },
    }) as EventLog;
    const streamEvents = createEventStreams({ clock, keepAliveMs: 100, maxStreams: 1 });
    const reader = readerOf(streamEvents(counted, new Request("http://service.test/")));
    for (let times = 0; times < 3; times++) await clock.run(() => reader.next());
    const next = reader.next();
    await Promise.resolve();
    expect(waiting.size).toBe(1);
    await reader.cancel();
    await next;
    expect([waiting.size, clock.pending]).toEqual([0, 0]);
  });

  it("takes up no place when nobody reads it", async () => {
    const { get, path, clock } = await runningExecution({ maxStreams: 1 });
    const before = clock.pending;
    const unread = [await get(path), await get(path), await get(path, {}, { method: "HEAD" })];
    expect(unread.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(clock.pending).toBe(before);
    // There is one place only, whoever has a response already.
    const [first, second] = [readerOf(unread[0]!), readerOf(unread[1]!)];
    expect((await first.next()).length).toBeGreaterThan(0);
    await expect(second.next()).rejects.toThrow();
    await first.cancel();
    expect((await get(path)).status).toBe(200);
  });

  it("listens to its request's signal only while it is open", async () => {
    const { handler, path, finish } = await runningExecution();
    const request = new Request(`http://service.test${path}`);
    const response = await handler(request);
    const reader = readerOf(response);
    await reader.next();
    const open = getEventListeners(request.signal, "abort").length;
    await finish();
    while (!(await reader.ended()));
    expect([open, getEventListeners(request.signal, "abort").length]).toEqual([1, 0]);
  });
});
