import { type NaiveOutcome, naiveRetry, type WorldEffect } from "@eoc/testkit";
import type { Met } from "./network.js";
import { naivePlan, type PlaySetup } from "./play-setup.js";
import { openSimulation } from "./simulation.js";

/** What naive retry believes at the end. */
export type NaiveBelief = "success" | "failed" | "skipped";

/** What came of a setup under naive retry. Times are virtual milliseconds since the start. */
export interface NaiveRun {
  readonly belief: NaiveBelief;
  /** When it was done. */
  readonly endMs: number;
  readonly effects: readonly WorldEffect[];
  readonly met: readonly Met[];
  /** When a process died, and when the next began. */
  readonly deaths: readonly { readonly diedAtMs: number; readonly restartedAtMs: number }[];
}

/**
 * Runs a setup the way most retry loops do, in a world of its own behind the same network: a timeout means "did not happen", and no
 * kill switch, no `Retry-After` and no idempotency key is known. A process that died is started again from the top.
 */
export async function runNaive(setup: PlaySetup): Promise<NaiveRun> {
  const { clock, network, begin, effects } = openSimulation(setup);
  const plan = naivePlan(setup);
  const deaths: { diedAtMs: number; restartedAtMs: number }[] = [];
  const live = async (): Promise<NaiveOutcome[]> => {
    const process = begin();
    const outcomes = naiveRetry(
      plan,
      setup.policy,
      { execute: (action, attempt) => process.hears(network.send(action, attempt)) },
      { clock: process.clock },
    );
    const death = process.death.then(async () => {
      const diedAtMs = clock.monotonic();
      await clock.sleep(setup.restartAfterMs);
      deaths.push({ diedAtMs, restartedAtMs: clock.monotonic() });
      return live();
    });
    return Promise.race([outcomes, death]);
  };

  const outcomes = await clock.run(live);
  const endMs = clock.monotonic();
  await clock.runUntilIdle();
  const belief =
    plan.actions.length === 0 ? "skipped" : outcomes.every(({ succeeded }) => succeeded) ? "success" : "failed";
  return { belief, endMs, effects: effects(), met: network.met, deaths };
}
