import type { Clock } from "@eoc/core";
import { readBounded } from "../bounded-bytes.js";
import { mediaType } from "../problem-details.js";
import { problem } from "./problem.js";

export interface ReadJsonLimits {
  readonly maxBytes: number;
  readonly maxMs: number;
  readonly clock: Pick<Clock, "setTimer">;
}

/** A request's JSON, with the bytes that it came in; or the response that refuses it. */
export async function readJson(
  request: Request,
  limits: ReadJsonLimits,
): Promise<{ value: unknown; bytes: Uint8Array } | Response> {
  const { headers } = request;
  const coding = headers.get("content-encoding")?.trim().toLowerCase() ?? "identity";
  if (mediaType(headers) !== "application/json" || coding !== "identity") {
    return problem("unsupported_media_type", { accept: "application/json", "accept-encoding": "identity" });
  }
  const declared = Number(headers.get("content-length") ?? 0);
  if (declared > limits.maxBytes) return problem("body_too_large");
  let bytes: Awaited<ReturnType<typeof readBounded>>;
  try {
    bytes = await readBounded(request.body, limits);
  } catch {
    return problem("invalid_request"); // The connection broke off, so nobody reads this.
  }
  if (bytes === "too_long") return problem("body_too_large");
  if (typeof bytes === "string") return problem("body_too_slow");
  try {
    return { value: JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as unknown, bytes };
  } catch {
    return problem("invalid_json");
  }
}

/** A value as an object with no members but `allowed`; undefined when it is something else. */
export function objectOf(value: unknown, allowed: readonly string[]): Record<string, unknown> | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.keys(value).every((key) => allowed.includes(key)) ? (value as Record<string, unknown>) : undefined;
}
