import { planExecution } from "@eoc/core";
import { draw, drawBetween } from "../scenario/latency.js";
import { GOES_WELL, type Reply } from "../scenario/reply.js";
import type { PlaySetup } from "./play-setup.js";
import { violationsOf } from "./recording.js";
import { markRepeats } from "./repeats.js";
import { runEoc } from "./run-eoc.js";
import { runNaive } from "./run-naive.js";

/** What came of one random schedule, in short; its setup plays it again. */
export interface Schedule {
  readonly number: number;
  readonly setup: PlaySetup;
  readonly status: string;
  readonly attempts: number;
  /** Effects in the ledger beyond the first of each action: what the stage shows as done again. */
  readonly doubled: { readonly eoc: number; readonly naive: number };
  readonly isHalted: boolean;
  readonly violations: number;
}

/** Only where keys are kept in a store: without one, no process can know what the one before it has sent. */
const CRASH_RATE = 0.03;

/** How likely each kind of trouble is; what is left over goes well. */
const TROUBLE: readonly (readonly [rate: number, reply: (key: string) => Partial<Reply>])[] = [
  [0.12, () => ({ dropReply: true })],
  [0.06, () => ({ dropReply: true, applied: false })],
  [0.1, (key) => ({ slowMs: drawBetween(`slow\n${key}`, 200, 8000) })],
  [0.1, (key) => ({ status: 429, applied: false, retryAfter: drawBetween(`retry\n${key}`, 1, 20) / 10 })],
  [0.05, () => ({ hang: true })],
  [0.05, () => ({ status: 422, applied: false })],
  [0.05, () => ({ status: 500 })],
];

const HALT_RATE = 0.2;
const HALT_WITHIN_MS = 400;
const SCRIPTED_REQUESTS = 4;

/** Schedule `number` of a setup: other replies, latencies and moments of a halt, all drawn from its seed and the number. */
export function scheduleSetup(base: PlaySetup, number: number): PlaySetup {
  const seed = `${base.seed}.${number}`;
  const { actions } = planExecution(base.decision, base.policy);
  const crashRate = base.policy.idempotency?.enabled ? CRASH_RATE : 0;
  const replies = new Map(
    actions.map(({ id }) => [
      id,
      Array.from({ length: SCRIPTED_REQUESTS }, (_, request) => randomReply(`${seed}\n${id}\n${request}`, crashRate)),
    ]),
  );
  const { haltAtMs: _, ...rest } = base;
  const isHalted = draw(`halt\n${seed}`) < HALT_RATE;
  return {
    ...rest,
    seed,
    world: { ...base.world, replies },
    ...(isHalted ? { haltAtMs: drawBetween(`halt at\n${seed}`, 1, HALT_WITHIN_MS) } : undefined),
  };
}

/** Runs one schedule on both sides. */
export async function runSchedule(base: PlaySetup, number: number): Promise<Schedule> {
  const setup = scheduleSetup(base, number);
  const [eoc, naive] = await Promise.all([runEoc(setup), runNaive(setup)]);
  const { status, attemptCount, actions } = eoc.report;
  const doubled = (effects: readonly { actionId: string }[]) => markRepeats(effects).filter(Boolean).length;
  return {
    number,
    setup,
    status,
    attempts: attemptCount,
    doubled: { eoc: doubled(eoc.effects), naive: doubled(naive.effects) },
    isHalted: actions.some(({ reason }) => reason === "kill_switch"),
    violations: violationsOf(eoc, setup).length,
  };
}

function randomReply(key: string, crashRate: number): Reply {
  let left = draw(`reply\n${key}`) - crashRate;
  if (left < 0) return { ...GOES_WELL, crash: true };
  for (const [rate, reply] of TROUBLE) {
    if (left < rate) return { ...GOES_WELL, ...reply(key) };
    left -= rate;
  }
  return GOES_WELL;
}
