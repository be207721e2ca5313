import { isSafe } from "./outcome-from-response.js";
import type { PreparedRequest } from "./prepare-request.js";

/**
 * The parts of `fetch`'s options that keep runtimes from sending a request that changes state a second time by themselves, which they do
 * when a kept-alive connection breaks under it. Bun repeats methods that HTTP calls idempotent (before oven-sh/bun#28708 all), but not on a
 * connection of its own, which is what `keepalive: false` asks for there and is the default elsewhere. Deno repeats whatever has no body or
 * one that it can read twice (denoland/deno#32566), which it cannot of a blob.
 */
export function sentOnce({ method, headers, body }: PreparedRequest): { body: BodyInit | null; keepalive?: boolean } {
  const sent = (body ?? null) as BodyInit | null;
  if (isSafe(method)) return { body: sent };
  if (!("Deno" in globalThis)) return { body: sent, keepalive: false };
  // As `fetch` names a text: a blob of no type would go without.
  const type = typeof sent === "string" && !headers.has("content-type") ? "text/plain;charset=UTF-8" : "";
  return { body: new Blob(sent === null ? [] : [sent as BlobPart], { type }), keepalive: false };
}
