import { type ReadLimits, readBounded } from "./bounded-bytes.js";
import type { HttpAnswer, HttpHead } from "./options.js";
import { ABORTED, isThenable, orAborted } from "./or-aborted.js";
import { mediaType } from "./problem-details.js";

type Body = Pick<HttpAnswer, "body" | "value">;

const UNREADABLE: Body = Object.freeze({ body: "unreadable", value: undefined });
const EMPTY: Body = Object.freeze({ body: "empty", value: undefined });

// A connection is used again only when its answer was read to the end, which is worth this much of a body that nobody wants.
const DISCARD_BYTES = 65_536;
const DISCARD_MS = 250;

/** Reads and parses a body within limits. Never throws; ends as soon as the limits' signal aborts. */
export async function readBody(
  response: Response,
  method: string,
  limits: ReadLimits & { readonly signal: AbortSignal },
  parse: (body: Uint8Array, head: HttpHead) => unknown = parseByContentType,
): Promise<Body> {
  try {
    // The answer to a HEAD declares the length of a body that does not come, and a 204 may.
    if (method !== "HEAD" && response.body !== null && declaredLength(response) > limits.maxBytes) {
      cancelBody(response);
      return UNREADABLE;
    }
    const bytes = await readBounded(response.body, limits);
    if (typeof bytes === "string") return UNREADABLE;
    if (bytes.length === 0) return EMPTY;
    const parsed = parse(bytes, { status: response.status, headers: response.headers });
    const value = isThenable(parsed) ? await orAborted(parsed, limits.signal) : parsed;
    return value === ABORTED ? UNREADABLE : { body: "parsed", value };
  } catch {
    cancelBody(response);
    return UNREADABLE;
  }
}

/** Lets go of a body that nobody reads: to its end where that is near, so that the connection can be used again. Never throws. */
export async function discardBody(response: Response, limits: Pick<ReadLimits, "clock" | "signal">): Promise<void> {
  if (declaredLength(response) > DISCARD_BYTES) return cancelBody(response);
  await readBounded(response.body, { ...limits, maxBytes: DISCARD_BYTES, maxMs: DISCARD_MS }).catch(() =>
    cancelBody(response),
  );
}

/** Lets go of a body: a web stream, or one of Node's, as some packages' `fetch` has it. Never throws. */
function cancelBody(response: Response): void {
  const body = response.body as Partial<ReadableStream & { destroy(): void }> | null;
  try {
    body?.destroy?.();
    body?.cancel?.().catch(() => {});
  } catch {
    // The status stands, whatever becomes of the body.
  }
}

function declaredLength(response: Response): number {
  return Number(response.headers.get("content-length") ?? 0);
}

function parseByContentType(body: Uint8Array, { headers }: HttpHead): unknown {
  if (/^application\/(?:[\w.-]+\+)?json$/.test(mediaType(headers))) {
    return JSON.parse(new TextDecoder().decode(body)) as unknown;
  }
  const [, ...parameters] = (headers.get("content-type") ?? "").toLowerCase().split(";");
  const charset = parameters
    .map((each) => /^\s*charset="?([\w-]+)"?\s*$/.exec(each)?.[1])
    .find((each) => each !== undefined);
  return new TextDecoder(charset).decode(body);
}
