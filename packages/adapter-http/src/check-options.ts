import { EocError } from "@eoc/core";
import type { HttpExecutorOptions } from "./options.js";
import { type RequestRules, setHeaders } from "./prepare-request.js";

/**
 * Checks the options of an executor and says what its requests are held to.
 * @throws EocError `invalid_option`, with an issue for each option that is wrong and no value of any.
 */
export function checkOptions(options: HttpExecutorOptions): RequestRules {
  const wrong: { path: string; expected: string }[] = [];
  const expect = (path: string, holds: boolean, expected: string) => {
    if (!holds) wrong.push({ path, expected });
  };
  const { request, allowedOrigins, reconcile, maxResponseBytes = 1, idempotencyHeader = "Idempotency-Key" } = options;
  const { idempotencyKeyForm = "bare", headers = {} } = options;

  expect("request", typeof request === "function", "a function");
  expect("allowedOrigins", Array.isArray(allowedOrigins) && allowedOrigins.length > 0, "at least one origin");
  const origins = Array.isArray(allowedOrigins) ? allowedOrigins.map(originOf) : [];
  for (const [index, origin] of origins.entries()) {
    expect(`allowedOrigins[${index}]`, origin !== undefined, "an origin such as https://api.example.com");
  }
  expect("maxResponseBytes", Number.isSafeInteger(maxResponseBytes) && maxResponseBytes >= 0, "an integer >= 0");
  expect("idempotencyHeader", areHeaders({ [idempotencyHeader]: "key" }), "a header name");
  expect("idempotencyKeyForm", ["bare", "quoted"].includes(idempotencyKeyForm), '"bare" or "quoted"');
  expect("headers", areHeaders(headers), "header names and values, none of them for framing or routing");
  const asksAndDecides = typeof reconcile?.request === "function" && typeof reconcile.decide === "function";
  expect("reconcile", reconcile === undefined || asksAndDecides, "functions request and decide");
  for (const name of ["fetch", "parse", "outcome"] as const) {
    expect(name, options[name] === undefined || typeof options[name] === "function", "a function");
  }

  if (wrong.length > 0) {
    const message = wrong.map(({ path, expected }) => `${path} must be ${expected}`).join("; ");
    throw new EocError("invalid_option", `invalid HTTP executor: ${message}`, { issues: wrong });
  }
  return {
    origins: new Set(origins as string[]),
    headers: { ...headers },
    idempotencyHeader,
    idempotencyKeyForm,
    blocksPorts: options.fetch === undefined,
  };
}

function originOf(text: unknown): string | undefined {
  if (typeof text !== "string" || !URL.canParse(text)) return undefined;
  const { origin, protocol, href } = new URL(text);
  return (protocol === "https:" || protocol === "http:") && href === `${origin}/` ? origin : undefined;
}

function areHeaders(headers: Readonly<Record<string, string>>): boolean {
  try {
    setHeaders(new Headers(), headers);
    return true;
  } catch {
    return false;
  }
}
