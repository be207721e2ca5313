import { checkOptionNames, type PlannedAction } from "@eoc/core";
import { canonicalJson } from "@eoc/decision-schema/read";
import { checkClock, checkNumber, checkOption, checkRange, checkRates } from "./check-option.js";
import { draw } from "./draw.js";
import { createScriptedExecutor, type ScriptedExecutor, type ScriptedExecutorOptions } from "./scripted-executor.js";
import { hangs, rejects, type ScriptedStep, succeeds, succeedsLate, throws } from "./scripted-step.js";
import type { VirtualClock } from "./virtual-clock.js";

/** How likely each kind of trouble is, from 0 to 1. What is left over succeeds. */
export interface FlakyRates {
  /** Says that it did nothing, with code `flaky`. @defaultValue 0.15 */
  rejects?: number;
  /** Throws, and did nothing. @defaultValue 0.1 */
  throws?: number;
  /** Throws although the effect happened. @defaultValue 0.1 */
  losesReply?: number;
  /** The effect happens, the answer comes after `lateMs`, whatever is aborted. @defaultValue 0.1 */
  late?: number;
  /** Never answers, and does nothing. @defaultValue 0.05 */
  hangs?: number;
}

/** Options of {@link createFlakyExecutor}. What a call meets depends on the seed, the action and the attempt only. */
export interface FlakyExecutorOptions extends ScriptedExecutorOptions {
  seed: string | number;
  clock: VirtualClock;
  rates?: FlakyRates;
  /** Range of the time until an answer, in milliseconds. @defaultValue [0, 200] */
  latencyMs?: readonly [min: number, max: number];
  /** How late a late answer is. @defaultValue 10_000 */
  lateMs?: number;
}

const OPTIONS = {
  clock: true,
  world: true,
  reconcile: true,
  seed: true,
  rates: true,
  latencyMs: true,
  lateMs: true,
} as const satisfies Record<keyof FlakyExecutorOptions, true>;
const RATES = { rejects: true, throws: true, losesReply: true, late: true, hangs: true } as const;

/**
 * Makes an executor of mixed outcomes and latencies. What an attempt meets depends on the seed, the action (its id,
 * place and parameters) and the attempt's number only, so that neither order nor concurrency changes it.
 * @throws EocError `invalid_option`
 */
export function createFlakyExecutor(options: FlakyExecutorOptions): ScriptedExecutor {
  checkOptionNames(options, OPTIONS);
  checkOption(["string", "number"].includes(typeof options.seed), "seed", "a text or a number", options.seed);
  checkClock(options.clock, "answers take time");
  checkRange("latencyMs", options.latencyMs);
  checkNumber("lateMs", options.lateMs);
  const { seed, rates = {}, latencyMs: [minMs, maxMs] = [0, 200], lateMs = 10_000, ...scripted } = options;
  checkOptionNames(rates, RATES, "rates");
  const choices = {
    rejects: { rate: rates.rejects ?? 0.15, step: (afterMs: number) => rejects("flaky", { afterMs }) },
    throws: { rate: rates.throws ?? 0.1, step: (afterMs: number) => throws(new Error("flaky"), { afterMs }) },
    losesReply: {
      rate: rates.losesReply ?? 0.1,
      step: (afterMs: number) => throws(new Error("reply lost"), { afterMs, applied: true }),
    },
    late: { rate: rates.late ?? 0.1, step: () => succeedsLate(lateMs) },
    hangs: { rate: rates.hangs ?? 0.05, step: () => hangs() },
  };
  checkRates("rates", Object.fromEntries(Object.entries(choices).map(([name, { rate }]) => [name, rate])));

  const choose = (action: PlannedAction, attempt: number): ScriptedStep => {
    const key = `${seed}\n${attempt}\n${canonicalJson(action)}`;
    const afterMs = Math.trunc(minMs + (maxMs - minMs) * draw(`latency\n${key}`));
    let left = draw(`outcome\n${key}`);
    for (const { rate, step } of Object.values(choices)) {
      if (left < rate) return step(afterMs);
      left -= rate;
    }
    return succeeds(undefined, { afterMs });
  };
  return createScriptedExecutor((action, { attempt }) => choose(action, attempt), scripted);
}
