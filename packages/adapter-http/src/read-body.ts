import type { HttpAnswer, HttpHead } from "./options.js";

type Body = Pick<HttpAnswer, "body" | "value">;

const UNREADABLE: Body = Object.freeze({ body: "unreadable", value: undefined });
const EMPTY: Body = Object.freeze({ body: "empty", value: undefined });

/** Reads and parses a body of at most `maxBytes`. Never throws; ends as soon as `signal` aborts. */
export async function readBody(
  response: Response,
  maxBytes: number,
  signal: AbortSignal,
  parse: (body: Uint8Array, head: HttpHead) => unknown = parseByContentType,
): Promise<Body> {
  try {
    if (Number(response.headers.get("content-length") ?? 0) > maxBytes) {
      discardBody(response);
      return UNREADABLE;
    }
    const bytes = await readBytes(response, maxBytes, signal);
    if (bytes === undefined) return UNREADABLE;
    if (bytes.length === 0) return EMPTY;
    return { body: "parsed", value: await parse(bytes, { status: response.status, headers: response.headers }) };
  } catch {
    return UNREADABLE;
  }
}

/** Lets go of a body that nobody reads, and with it of the connection. */
export function discardBody(response: Response): void {
  response.body?.cancel().catch(() => {});
}

async function readBytes(response: Response, maxBytes: number, signal: AbortSignal): Promise<Uint8Array | undefined> {
  if (response.body === null) return new Uint8Array();
  const reader = response.body.getReader();
  let leave = () => {};
  // A fetch of the caller's own may leave its body hanging after an abort.
  const aborted = new Promise<"aborted">((resolve) => {
    leave = () => resolve("aborted");
    signal.addEventListener("abort", leave);
  });
  try {
    const chunks: Uint8Array[] = [];
    let length = 0;
    while (!signal.aborted) {
      const next = await Promise.race([reader.read(), aborted]);
      if (next === "aborted") break;
      if (next.done) return concatenated(chunks, length);
      length += next.value.length;
      if (length > maxBytes) break;
      chunks.push(next.value);
    }
    reader.cancel().catch(() => {});
    return undefined;
  } finally {
    signal.removeEventListener("abort", leave);
  }
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

function parseByContentType(body: Uint8Array, { headers }: HttpHead): unknown {
  const [type = "", ...parameters] = (headers.get("content-type") ?? "").toLowerCase().split(";");
  if (/^application\/(?:[\w.-]+\+)?json$/.test(type.trim()))
    return JSON.parse(new TextDecoder().decode(body)) as unknown;
  const charset = parameters
    .map((each) => /^\s*charset="?([\w-]+)"?\s*$/.exec(each)?.[1])
    .find((each) => each !== undefined);
  return new TextDecoder(charset).decode(body);
}
