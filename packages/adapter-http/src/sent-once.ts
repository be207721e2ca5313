import { isSafe } from "./outcome-from-response.js";
import type { PreparedRequest } from "./prepare-request.js";

/**
 * The parts of `fetch`'s options that keep runtimes from sending a request that changes state a second time by themselves. Bun does when a
 * kept-alive connection breaks under a method that HTTP calls idempotent (before oven-sh/bun#28708 any), but not on a connection of its own,
 * which is what `keepalive: false` asks for there and is the default elsewhere. Deno repeats whatever has no body or one that it can read
 * twice (denoland/deno#32566), which it cannot of a blob. Node's undici 8 repeats over HTTP/2 what has no body and was refused, or left out of a
 * `GOAWAY`; an empty body changes no byte over HTTP/1.1. undici 7 repeats nothing, and over HTTP/2 never ends an empty body: a
 * `dispatcher` of the caller's may be one of its.
 */
export function sentOnce(
  { method, headers, body }: PreparedRequest,
  dispatcher?: object,
): { body: BodyInit | null; keepalive?: boolean } {
  const sent = (body ?? null) as BodyInit | null;
  if (isSafe(method)) return { body: sent };
  if (!("Deno" in globalThis)) {
    const { process } = globalThis as { process?: { versions?: { undici?: string } } };
    const isRepeated = dispatcher === undefined && Number.parseInt(process?.versions?.undici ?? "", 10) >= 8;
    return { body: sent ?? (isRepeated ? new Uint8Array() : null), keepalive: false };
  }
  // As `fetch` names a text: a blob of no type would go without.
  const type = typeof sent === "string" && !headers.has("content-type") ? "text/plain;charset=UTF-8" : "";
  return { body: new Blob([(sent ?? "") as BlobPart], { type }), keepalive: false };
}
