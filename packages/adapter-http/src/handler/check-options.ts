import {
  type Clock,
  createMemoryRateLimiter,
  createSystemClock,
  definePolicy,
  EocError,
  type ExecutionPolicy,
  type ExecutionReport,
  prepareExecution,
  type RateLimiter,
} from "@eoc/core";
import { unknownOptions, type WrongOption } from "../unknown-options.js";
import { bearerToken, tokenFault } from "./bearer-token.js";
import { type ControlledSwitch, isControlled } from "./control.js";
import type { ExecutionHandlerOptions, HandlerRateLimit, RememberOptions } from "./options.js";

const OPTIONS = {
  policy: true,
  executor: true,
  authorize: true,
  ports: true,
  approval: true,
  control: true,
  rateLimit: true,
  remember: true,
  basePath: true,
  maxRequestBytes: true,
  requestTimeoutMs: true,
  keepAliveMs: true,
  maxStreams: true,
  onDisconnect: true,
  waitUntil: true,
  onError: true,
} as const satisfies Record<keyof ExecutionHandlerOptions, true>;
const RATE_LIMIT = { limit: true, windowMs: true, key: true, limiter: true } as const satisfies Record<
  keyof HandlerRateLimit,
  true
>;
const REMEMBER = { maxExecutions: true, maxAgeMs: true, maxEvents: true, maxBytes: true } as const satisfies Record<
  keyof RememberOptions,
  true
>;

/** The options of a handler, checked and complete. */
export interface HandlerSettings extends Omit<ExecutionHandlerOptions, "control" | "rateLimit"> {
  readonly policy: ExecutionPolicy;
  readonly clock: Clock;
  readonly basePath: string;
  readonly limits: { readonly maxBytes: number; readonly maxMs: number; readonly clock: Clock };
  readonly keepAliveMs: number;
  readonly maxStreams: number;
  readonly control:
    | { readonly killSwitch: ControlledSwitch; readonly mayControl: (request: Request) => Promise<boolean> }
    | undefined;
  readonly rateLimit: (HandlerRateLimit & { readonly limiter: RateLimiter }) | undefined;
}

/**
 * Checks the options of a handler.
 * @throws EocError `invalid_option`, with an issue for each option that is wrong and no value of any; `invalid_policy`.
 */
export function checkHandlerOptions(given: ExecutionHandlerOptions): HandlerSettings {
  const options = given ?? ({} as ExecutionHandlerOptions);
  const wrong: WrongOption[] = [];
  const expect = (path: string, holds: boolean, expected: string) => {
    if (!holds) wrong.push({ path, expected });
  };
  const { authorize, control, ports = {}, rateLimit, remember = {}, basePath = "", onDisconnect = "finish" } = options;
  const { maxRequestBytes = 1_000_000, requestTimeoutMs = 10_000, keepAliveMs = 5000, maxStreams = 1000 } = options;
  const { killSwitch } = ports ?? {};

  const { executor } = options;
  const execute = typeof executor === "object" && executor !== null ? executor.execute : executor;
  expect("executor", typeof execute === "function", "a function, or { execute: function }");
  expect("authorize", authorize === "none" || typeof authorize === "function", '"none" or a function');
  expect("control.token", control === undefined || tokenFault(control.token) === undefined, tokenFault("")!);
  expect("ports.killSwitch", control === undefined || isControlled(killSwitch), "one with halt and clear, for control");
  expect("ports", typeof ports === "object" && ports !== null, "an object");
  for (const name of ["executionId", "seed", "approval"] as const) {
    const isGiven = (ports as Readonly<Record<string, unknown>> | null)?.[name] !== undefined;
    expect(`ports.${name}`, !isGiven, "left out, as each execution has its own");
  }
  expect("basePath", /^(?:\/[A-Za-z0-9._~-]+)*$/.test(basePath), 'empty, or a path such as "/eoc"');
  expect("onDisconnect", onDisconnect === "finish" || onDisconnect === "cancel", '"finish" or "cancel"');
  const { maxExecutions = 1, maxEvents = 1, maxBytes = 1, maxAgeMs = 1 } = remember;
  const { limit, windowMs, key, limiter }: HandlerRateLimit = rateLimit ?? { limit: 1, windowMs: 1 };
  const counts = {
    maxRequestBytes,
    maxStreams,
    "remember.maxExecutions": maxExecutions,
    "remember.maxEvents": maxEvents,
    "remember.maxBytes": maxBytes,
  };
  for (const [path, count] of Object.entries({ ...counts, "rateLimit.limit": limit })) {
    expect(path, Number.isSafeInteger(count) && count >= 1, "an integer >= 1");
  }
  const durations = { requestTimeoutMs, keepAliveMs, "remember.maxAgeMs": maxAgeMs, "rateLimit.windowMs": windowMs };
  for (const [path, duration] of Object.entries(durations)) {
    expect(path, Number.isFinite(duration) && duration > 0, "milliseconds > 0");
  }
  expect("rateLimit.key", key === undefined || typeof key === "function", "a function");
  expect("rateLimit.limiter", limiter === undefined || typeof limiter?.acquire === "function", "one with acquire()");
  for (const name of ["approval", "waitUntil", "onError"] as const) {
    expect(name, options[name] === undefined || typeof options[name] === "function", "a function");
  }

  wrong.push(
    ...unknownOptions(options, OPTIONS),
    ...unknownOptions(control, { token: true }, "control."),
    ...unknownOptions(rateLimit, RATE_LIMIT, "rateLimit."),
    ...unknownOptions(remember, REMEMBER, "remember."),
  );
  if (wrong.length > 0) throw misconfigured(wrong);
  const policy = definePolicy(options.policy);
  const refused = refusalOf(policy, executor, ports);
  if (refused.length > 0) throw misconfigured(refused);
  const clock = ports.clock ?? createSystemClock();
  return {
    ...options,
    policy,
    clock,
    basePath,
    limits: { maxBytes: maxRequestBytes, maxMs: requestTimeoutMs, clock },
    keepAliveMs,
    maxStreams,
    control: control && {
      killSwitch: killSwitch as ControlledSwitch,
      mayControl: bearerToken(control.token),
    },
    rateLimit: rateLimit && { ...rateLimit, limiter: rateLimit.limiter ?? createMemoryRateLimiter() },
  };
}

/** Says what is wrong with the options of a handler, in the words of core where `issues` are those of a report. */
export function misconfigured(issues: NonNullable<ExecutionReport["issues"]> = []): EocError {
  const ours = issues.map((issue) => ({ ...issue, path: issue.path.replace(/^options(?=\.|$)/, "ports") }));
  const message = ours.map(({ path, expected }) => `${path} must be ${expected}`).join("; ");
  return new EocError("invalid_option", `invalid execution handler: ${message}`, { issues: ours });
}

/** Why core would deny every execution under these ports, whatever the decision. */
function refusalOf(
  policy: ExecutionPolicy,
  executor: ExecutionHandlerOptions["executor"],
  ports: NonNullable<ExecutionHandlerOptions["ports"]>,
): NonNullable<ExecutionReport["issues"]> {
  try {
    // With an id, as workers have no randomness for one before their first request; what a class has to give stays inherited.
    const named = Object.assign(Object.create(Object.getPrototypeOf(ports)), ports, { executionId: "none" });
    return prepareExecution({ action: "ACT" }, {}, policy, executor, named).machine.facts.verdict?.issues ?? [];
  } catch {
    // The refusal of ports takes an id of its own.
    return [{ path: "ports", expected: "what execute takes as options, by their names and with their methods" }];
  }
}
