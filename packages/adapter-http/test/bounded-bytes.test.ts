import { getEventListeners } from "node:events";
import { createVirtualClock } from "@eoc/testkit";
import { describe, expect, it } from "vitest";
import { readBounded } from "../src/bounded-bytes.js";

/** A stream that hands out `chunks`, then stays open; it remembers whether it was cancelled. */
function openStream(...chunks: string[]) {
  const stream = { cancelled: false, body: new ReadableStream<Uint8Array>() };
  stream.body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
    },
    cancel() {
      stream.cancelled = true;
    },
  });
  return stream;
}

function limits() {
  const clock = createVirtualClock();
  const controller = new AbortController();
  return { clock, controller, maxBytes: 10, maxMs: 1000, signal: controller.signal };
}

describe("a bounded body", () => {
  it("is read to its end, in however many chunks", async () => {
    const { clock, ...rest } = limits();
    const body = new Response("0123456789").body;
    expect(await readBounded(body, { clock, ...rest })).toEqual(new TextEncoder().encode("0123456789"));
    expect(await readBounded(null, { clock, ...rest })).toEqual(new Uint8Array());
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    void writer.write(new Uint8Array([1, 2])).then(() => writer.write(new Uint8Array([3])).then(() => writer.close()));
    expect(await readBounded(readable, { clock, ...rest })).toEqual(new Uint8Array([1, 2, 3]));
    expect([clock.pending, getEventListeners(rest.signal, "abort")]).toEqual([0, []]);
  });

  it("is cancelled with the first byte too many", async () => {
    const stream = openStream("01234", "567890");
    const { clock, ...rest } = limits();
    expect(await readBounded(stream.body, { clock, ...rest })).toBe("too_long");
    expect([stream.cancelled, clock.pending, getEventListeners(rest.signal, "abort")]).toEqual([true, 0, []]);
  });

  it("is cancelled when it has not ended in time", async () => {
    const stream = openStream("slow");
    const { clock, ...rest } = limits();
    expect(await clock.run(() => readBounded(stream.body, { clock, ...rest }))).toBe("too_slow");
    expect([stream.cancelled, clock.monotonic(), clock.pending]).toEqual([true, 1000, 0]);
    expect(getEventListeners(rest.signal, "abort")).toEqual([]);
  });

  it("is cancelled when the signal aborts, before or while it is read", async () => {
    const stream = openStream("slow");
    const { clock, controller, ...rest } = limits();
    const reading = readBounded(stream.body, { clock, ...rest });
    controller.abort();
    expect([await reading, stream.cancelled, clock.pending]).toEqual(["aborted", true, 0]);
    const second = openStream("slow");
    expect([await readBounded(second.body, { clock, ...rest }), second.cancelled]).toEqual(["aborted", true]);
    expect(getEventListeners(rest.signal, "abort")).toEqual([]);
  });

  it("rejects when the stream fails, leaving nothing behind", async () => {
    const { clock, ...rest } = limits();
    const body = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error("broken")) });
    await expect(readBounded(body, { clock, ...rest })).rejects.toThrow("broken");
    expect([clock.pending, getEventListeners(rest.signal, "abort")]).toEqual([0, []]);
  });
});
