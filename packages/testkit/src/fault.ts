import { checkOptionNames } from "@eoc/core";
import { checkNumber, checkRange, checkRates, checkWord } from "./check-option.js";
import { draw } from "./draw.js";

/**
 * What can become of one call of a port.
 * - `passes`: nothing is wrong.
 * - `throws`, `rejects`, `hangs`, `garbage`: the port is never called. It throws, its promise rejects or never settles, or
 *   the answer is something that no port may give.
 * - `loses_reply`, `never_replies`: the port is called and does its work, but the caller's promise rejects, or never settles.
 */
export type FaultName = "passes" | "throws" | "rejects" | "hangs" | "garbage" | "loses_reply" | "never_replies";

/** A fault and its details. */
export interface FaultSpec {
  /** @defaultValue "passes" */
  readonly fault?: FaultName;
  /** Virtual milliseconds until the port is called: the request is slow. @defaultValue 0 */
  readonly requestMs?: number;
  /** Virtual milliseconds from the port's answer until the caller has it: the reply is slow. @defaultValue 0 */
  readonly replyMs?: number;
  /** What is thrown. @defaultValue an `Error` with the message "port failure" */
  readonly error?: unknown;
  /** What a `garbage` call answers. @defaultValue something of a list of wrong answers */
  readonly answer?: unknown;
}

/** What one call does: a name, or a name with details. */
export type Fault = FaultName | FaultSpec;

/** How likely each fault is, from 0 to 1; what is left over passes. */
export type FaultRates = {
  readonly [Name in Exclude<FaultName, "passes">]?: number;
} & {
  /** The request takes `slowMs`. */
  readonly slow_request?: number;
  /** The reply takes `slowMs`. */
  readonly slow_reply?: number;
  /** Range of a slow call, in virtual milliseconds. @defaultValue [1, 2000] */
  readonly slowMs?: readonly [min: number, max: number];
};

/** Answers that no port may give; `garbage` takes one of them. */
const WRONG_ANSWERS: readonly unknown[] = Object.freeze([
  "garbage",
  undefined,
  null,
  7,
  Object.freeze([]),
  Object.freeze({}),
]);

const BREAKS = ["throws", "rejects", "hangs", "garbage", "loses_reply", "never_replies"] as const;

const DRAWN = [...BREAKS, "slow_request", "slow_reply"] as const satisfies readonly (keyof FaultRates)[];

const NAMES = ["passes", ...BREAKS] as const satisfies readonly FaultName[];

/** @throws EocError `invalid_option` for what is no fault: a call would pass, or fail otherwise than it was to */
export function checkFault(path: string, fault: Fault): void {
  if (typeof fault === "string") return checkWord(path, fault, NAMES);
  checkOptionNames(fault, { fault: true, requestMs: true, replyMs: true, error: true, answer: true }, path);
  checkWord(`${path}.fault`, fault.fault ?? "passes", NAMES);
  checkNumber(`${path}.requestMs`, fault.requestMs);
  checkNumber(`${path}.replyMs`, fault.replyMs);
}

/** A fault with every detail filled in. `key` stands for the call. */
export function resolveFault(fault: Fault, key: string): Required<FaultSpec> {
  const spec: FaultSpec = typeof fault === "string" ? { fault } : fault;
  return {
    fault: spec.fault ?? "passes",
    requestMs: spec.requestMs ?? 0,
    replyMs: spec.replyMs ?? 0,
    error: "error" in spec ? spec.error : new Error("port failure"),
    answer: "answer" in spec ? spec.answer : WRONG_ANSWERS[Math.trunc(draw(`garbage\n${key}`) * WRONG_ANSWERS.length)],
  };
}

/** Draws the fault of the call that `key` stands for. */
export function drawFault(rates: FaultRates, key: string): Fault {
  const [minMs, maxMs] = rates.slowMs ?? [1, 2000];
  let left = draw(`fault\n${key}`);
  for (const name of DRAWN) {
    const rate = rates[name] ?? 0;
    if (left >= rate) {
      left -= rate;
      continue;
    }
    if (name !== "slow_request" && name !== "slow_reply") return name;
    const ms = Math.trunc(minMs + (maxMs - minMs) * draw(`slow\n${key}`));
    return name === "slow_request" ? { requestMs: ms } : { replyMs: ms };
  }
  return "passes";
}

const RATES = { ...Object.fromEntries(DRAWN.map((name) => [name, true] as const)), slowMs: true } as {
  readonly [Name in keyof FaultRates]-?: true;
};

/** @throws EocError `invalid_option` unless the rates are probabilities that add up to 1 at most */
export function checkFaultRates(path: string, rates: FaultRates): void {
  checkOptionNames(rates, RATES, path);
  checkRange(`${path}.slowMs`, rates.slowMs);
  checkRates(path, Object.fromEntries(DRAWN.map((name) => [name, rates[name] ?? 0])));
}
