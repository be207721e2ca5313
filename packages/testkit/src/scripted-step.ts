import { checkOptionNames } from "@eoc/core";
import { checkNumber, checkOption } from "./check-option.js";
import { valueText } from "./value-text.js";

/** What a scripted executor does with one dispatch. Made by {@link succeeds}, {@link rejects} and their like. */
export interface ScriptedStep {
  /** How it is written, such as `rejects("busy")`. */
  readonly text: string;
  /** Virtual milliseconds until it answers; infinite when it never does. */
  readonly afterMs: number;
  /** Goes on although its signal was aborted. Otherwise an abort ends it at once, with the signal's reason. */
  readonly ignoresAbort: boolean;
  /** When the effect reaches the world. */
  readonly applies: "at_dispatch" | "with_answer" | "never";
  /** Gives the answer, or throws it. */
  readonly answer: () => unknown;
}

interface Timing {
  /** Virtual milliseconds until it answers. @defaultValue 0, which needs no clock */
  afterMs?: number;
}

/** `{ ok: true, value }`; the effect happens with the answer, unless `applies` is false. An abort prevents both. */
export function succeeds(value?: unknown, options: Timing & { applies?: boolean } = {}): ScriptedStep {
  checkOptionNames(options, { afterMs: true, applies: true });
  const { afterMs = 0, applies = true } = options;
  const text = () => callText("succeeds", value, options);
  return answering(text, afterMs, applies, () => (value === undefined ? { ok: true } : { ok: true, value }));
}

/** `{ ok: false, code }`: not applied, by the executor's word. */
export function rejects(
  code: string,
  options: Timing & { retryable?: boolean; retryAfterMs?: number } = {},
): ScriptedStep {
  checkOptionNames(options, { afterMs: true, retryable: true, retryAfterMs: true });
  const { afterMs = 0, ...rest } = options;
  return answering(
    () => callText("rejects", code, options),
    afterMs,
    false,
    () => ({ ok: false, code, ...rest }),
  );
}

/** Throws; with `applied` the effect had happened all the same: the answer was lost. */
export function throws(
  error: unknown = new Error("scripted failure"),
  options: Timing & { applied?: boolean } = {},
): ScriptedStep {
  checkOptionNames(options, { afterMs: true, applied: true });
  const { afterMs = 0, applied = false } = options;
  return answering(
    () => callText("throws", error, options),
    afterMs,
    applied,
    () => {
      throw error;
    },
  );
}

/** Answers with anything at all, however wrong. */
export function returns(answer: unknown, options: Timing & { applied?: boolean } = {}): ScriptedStep {
  checkOptionNames(options, { afterMs: true, applied: true });
  const { afterMs = 0, applied = false } = options;
  return answering(
    () => callText("returns", answer, options),
    afterMs,
    applied,
    () => answer,
  );
}

/** Never answers; an abort ends it with the signal's reason, unless it `ignoresAbort`. With `applied` the effect happens at the dispatch. */
export function hangs(options: { ignoresAbort?: boolean; applied?: boolean } = {}): ScriptedStep {
  checkOptionNames(options, { ignoresAbort: true, applied: true });
  const { ignoresAbort = false, applied = false } = options;
  return {
    get text() {
      return callText("hangs", undefined, options);
    },
    afterMs: Number.POSITIVE_INFINITY,
    ignoresAbort,
    applies: applied ? "at_dispatch" : "never",
    answer: () => undefined,
  };
}

/** The effect happens at the dispatch, but `{ ok: true, value }` comes only `afterMs` later, whatever is aborted meanwhile. */
export function succeedsLate(afterMs: number, value?: unknown): ScriptedStep {
  checkNumber("afterMs", afterMs);
  const args = value === undefined ? [afterMs] : [afterMs, value];
  const { answer } = succeeds(value);
  return {
    get text() {
      return `succeedsLate(${args.map(valueText).join(", ")})`;
    },
    afterMs,
    ignoresAbort: true,
    applies: "at_dispatch",
    answer,
  };
}

/** @throws EocError `invalid_option` unless it is a list of at least one step */
export function checkSteps(path: string, steps: unknown): asserts steps is readonly ScriptedStep[] {
  checkOption(Array.isArray(steps) && steps.length > 0, path, "a list of at least one step", steps);
  for (const [index, step] of (steps as readonly Partial<ScriptedStep>[]).entries()) {
    checkOption(typeof step?.answer === "function", `${path}[${index}]`, "a step, such as succeeds()", step);
  }
}

function answering(text: () => string, afterMs: number, applied: boolean, answer: () => unknown): ScriptedStep {
  checkNumber("afterMs", afterMs);
  return {
    get text() {
      return text();
    },
    afterMs,
    ignoresAbort: false,
    applies: applied ? "with_answer" : "never",
    answer,
  };
}

function callText(name: string, value: unknown, options: object): string {
  const hasOptions = Object.keys(options).length > 0;
  const parts = value === undefined && !hasOptions ? [] : [valueText(value)];
  if (hasOptions) parts.push(valueText(options));
  return `${name}(${(name === "hangs" ? parts.slice(1) : parts).join(", ")})`;
}
