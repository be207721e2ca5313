import type { Clock } from "@eoc/core";

/** How much of a body is read, and for how long. */
export interface ReadLimits {
  readonly maxBytes: number;
  /** Milliseconds from the call to the end of the body. */
  readonly maxMs: number;
  readonly clock: Pick<Clock, "setTimer">;
  readonly signal?: AbortSignal;
}

/** A body, or why its reader gave up. */
export type BoundedBytes = Uint8Array | "too_long" | "too_slow" | "aborted";

/**
 * Reads a body to its end, or cancels it at the first limit. Leaves no timer and no listener behind, and waits for no
 * stream that ignores its cancellation. Rejects only where the stream fails.
 */
export async function readBounded(body: ReadableStream<Uint8Array> | null, limits: ReadLimits): Promise<BoundedBytes> {
  if (body === null) return new Uint8Array();
  const { maxBytes, maxMs, clock, signal } = limits;
  if (signal?.aborted) {
    body.cancel().catch(() => {});
    return "aborted";
  }
  const reader = body.getReader();
  let stop: (why: "too_slow" | "aborted") => void = () => {};
  const stopped = new Promise<"too_slow" | "aborted">((resolve) => {
    stop = resolve;
  });
  const abort = () => stop("aborted");
  signal?.addEventListener("abort", abort);
  const cancelTimer = clock.setTimer(() => stop("too_slow"), maxMs);
  try {
    const chunks: Uint8Array[] = [];
    let length = 0;
    while (true) {
      const next = await Promise.race([stopped, reader.read()]);
      if (typeof next === "string") return giveUp(reader, next);
      if (next.done) return concatenated(chunks, length);
      length += next.value.length;
      if (length > maxBytes) return giveUp(reader, "too_long");
      chunks.push(next.value);
    }
  } finally {
    cancelTimer();
    signal?.removeEventListener("abort", abort);
  }
}

function giveUp<Why>(reader: ReadableStreamDefaultReader<Uint8Array>, why: Why): Why {
  reader.cancel().catch(() => {});
  return why;
}

function concatenated(chunks: readonly Uint8Array[], length: number): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
