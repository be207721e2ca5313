import { EocError } from "@eoc/core";
import type { HttpExecutorOptions, HttpReconcile } from "./options.js";
import { type RequestRules, wrongHeaders } from "./prepare-request.js";
import { isPrivateHost } from "./private-address.js";
import { unknownOptions, type WrongOption } from "./unknown-options.js";

const OPTIONS = {
  request: true,
  allowedOrigins: true,
  allowPrivateAddresses: true,
  fetch: true,
  dispatcher: true,
  headers: true,
  idempotencyHeader: true,
  idempotencyKeyForm: true,
  maxResponseBytes: true,
  maxResponseMs: true,
  parse: true,
  outcome: true,
  reconcile: true,
  trace: true,
  clock: true,
} as const satisfies Record<keyof HttpExecutorOptions, true>;
// They mean something else to whoever is on the way, or to the executor.
const OTHER_HEADER =
  /^(?:accept|authorization$|content-|cookie$|from$|if-|origin$|prefer$|proxy-|range$|referer$|trace|user-agent$)/i;
const RECONCILE = { request: true, decide: true } as const satisfies Record<keyof HttpReconcile, true>;

/**
 * Checks the options of an executor and says what its requests are held to.
 * @throws EocError `invalid_option`, with an issue for each option that is wrong and no value of any.
 */
export function checkOptions(given: HttpExecutorOptions): RequestRules {
  const options: Partial<HttpExecutorOptions> = given ?? {};
  const wrong: WrongOption[] = [];
  const expect = (path: string, holds: boolean, expected: string) => {
    if (!holds) wrong.push({ path, expected });
  };
  const { request, allowedOrigins, reconcile, maxResponseBytes = 1, maxResponseMs = 1, headers = {} } = options;
  const { idempotencyHeader = "Idempotency-Key", idempotencyKeyForm = "bare", allowPrivateAddresses = false } = options;
  const { dispatcher, clock } = options;
  const isDispatcher = typeof (dispatcher as { dispatch?: unknown } | null | undefined)?.dispatch === "function";
  const isClock = typeof clock?.setTimer === "function" && typeof clock.now === "function";
  const isName = typeof idempotencyHeader === "string" && !OTHER_HEADER.test(idempotencyHeader);

  expect("request", typeof request === "function", "a function");
  expect("allowedOrigins", Array.isArray(allowedOrigins) && allowedOrigins.length > 0, "at least one origin");
  const origins = Array.isArray(allowedOrigins) ? allowedOrigins.map(originOf) : [];
  for (const [index, origin] of origins.entries()) {
    const path = `allowedOrigins[${index}]`;
    expect(path, origin !== undefined, "an origin such as https://api.example.com");
    const isPrivate = origin !== undefined && isPrivateHost(new URL(origin).hostname);
    expect(path, allowPrivateAddresses || !isPrivate, "a public address, as allowPrivateAddresses is not true");
  }
  expect("allowPrivateAddresses", typeof allowPrivateAddresses === "boolean", "true or false");
  expect("maxResponseBytes", Number.isSafeInteger(maxResponseBytes) && maxResponseBytes >= 0, "an integer >= 0");
  expect("maxResponseMs", Number.isFinite(maxResponseMs) && maxResponseMs > 0, "milliseconds > 0");
  const isHeader = isName && wrongHeaders({ [idempotencyHeader]: "key" }).length === 0;
  expect("idempotencyHeader", isHeader, "a header that means nothing else");
  expect("idempotencyKeyForm", ["bare", "quoted"].includes(idempotencyKeyForm), '"bare" or "quoted"');
  const wrongOnes = wrongHeaders(headers);
  wrong.push(...wrongOnes);
  const isKey = (name: string) => isHeader && name.toLowerCase() === idempotencyHeader.toLowerCase();
  const key = wrongOnes.length === 0 ? Object.keys(headers).find(isKey) : undefined;
  expect(`headers.${key}`, key === undefined, "left out, as actions would share a key");
  const asksAndDecides = typeof reconcile?.request === "function" && typeof reconcile.decide === "function";
  expect("reconcile", reconcile === undefined || asksAndDecides, "functions request and decide");
  expect("dispatcher", dispatcher === undefined || isDispatcher, "a dispatcher");
  expect("clock", clock === undefined || isClock, "a clock");
  for (const name of ["fetch", "parse", "outcome", "trace"] as const) {
    expect(name, options[name] === undefined || typeof options[name] === "function", "a function");
  }

  wrong.push(...unknownOptions(options, OPTIONS), ...unknownOptions(reconcile, RECONCILE, "reconcile."));
  if (wrong.length > 0) {
    const message = wrong.map(({ path, expected }) => `${path} must be ${expected}`).join("; ");
    throw new EocError("invalid_option", `invalid HTTP executor: ${message}`, { issues: wrong });
  }
  return {
    origins: new Set(origins as string[]),
    headers: { ...headers },
    idempotencyHeader,
    idempotencyKeyForm,
    allowPrivateAddresses,
    blocksPorts: options.fetch === undefined || dispatcher !== undefined,
  };
}

function originOf(text: unknown): string | undefined {
  if (typeof text !== "string" || !URL.canParse(text)) return undefined;
  const { origin, protocol, href } = new URL(text);
  return (protocol === "https:" || protocol === "http:") && href === `${origin}/` ? origin : undefined;
}
