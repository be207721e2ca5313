import type { Clock } from "@eoc/core";
import type { EventLog } from "./event-log.js";
import { problem, text } from "./problem.js";

/** How many events go into one piece of a stream at most. */
const BATCH = 100;

export interface EventStreamsOptions {
  readonly clock: Pick<Clock, "setTimer">;
  readonly keepAliveMs: number;
  readonly maxStreams: number;
}

/** Makes the responses of `GET /executions/:id/events`. */
export function createEventStreams({ clock, keepAliveMs, maxStreams }: EventStreamsOptions) {
  let open = 0;

  /** Reads `log` from `seq` on, as fast as it is read itself, and so without a buffer of its own. */
  function streamOf(log: EventLog, seq: number, signal: AbortSignal): ReadableStream<Uint8Array> {
    const encoder = new TextEncoder();
    let next = seq;
    let pulled = false;
    let wake = () => {};
    const end = () => {
      if (pulled) open--;
      pulled = false;
      signal.removeEventListener("abort", leave);
      wake();
    };
    let left = false;
    const leave = () => {
      left = true;
      end();
    };
    /** True when something happened, false when it was quiet for long. */
    const somethingHappens = () =>
      new Promise<boolean>((resolve) => {
        const stop = (happened: boolean) => {
          unwait();
          cancelTimer();
          resolve(happened);
        };
        const unwait = log.wait(() => stop(true));
        const cancelTimer = clock.setTimer(() => stop(false), keepAliveMs);
        wake = () => stop(true);
      });

    return new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          if (!pulled && !left) {
            // Only from here on does the stream hold anything: a response that nobody reads costs nothing.
            const isPlace = open < maxStreams;
            pulled = true;
            open++;
            if (signal.aborted || !isPlace) leave();
            else signal.addEventListener("abort", leave);
          }
          const chunk = left ? undefined : await nextChunk();
          if (chunk !== undefined) return controller.enqueue(encoder.encode(chunk));
          end();
          if (!left) controller.close();
          else controller.error(new Error("the reader is gone"));
        },
        cancel: leave,
      },
      { highWaterMark: 0 },
    );

    async function nextChunk(): Promise<string | undefined> {
      while (next >= log.nextSeq) {
        if (log.closed) return undefined;
        if (!(await somethingHappens())) return ": keep-alive\n\n";
        if (left) return undefined;
      }
      const { firstSeq } = log;
      // Without an id: a reader that comes back asks for what it has not had.
      const gap =
        next < firstSeq ? `event: events.dropped\ndata: ${JSON.stringify({ from: next, to: firstSeq - 1 })}\n\n` : "";
      const messages = log.read(next, BATCH);
      next = Math.max(next, firstSeq) + messages.length;
      return gap + messages.join("");
    }
  }

  return (log: EventLog, request: Request): Response => {
    const lastEventId = request.headers.get("last-event-id") ?? "";
    const last = /^\d{1,15}$/.test(lastEventId) ? Number(lastEventId) : -1;
    // An id that no event has had says nothing of what its client has.
    const seq = last < log.nextSeq ? last + 1 : 0;
    // To a client that has everything: do not come back (HTML Standard, server-sent events).
    if (log.closed && seq >= log.nextSeq) return text(204, null, {});
    if (open >= maxStreams) return problem("too_many_streams", { "retry-after": "1" });
    return text(200, streamOf(log, seq, request.signal), {
      "content-type": "text/event-stream",
      // Proxies would otherwise hold events back until there are enough of them.
      "cache-control": "no-store, no-transform",
      "x-accel-buffering": "no",
    });
  };
}
