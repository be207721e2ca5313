import { createVirtualClock, createWorld, type VirtualClock, type World, type WorldEffect } from "@eoc/testkit";
import { createMortalProcess, type MortalProcess } from "./mortal-process.js";
import { createNetwork, type Network } from "./network.js";
import { type PlaySetup, START_MS } from "./play-setup.js";

/** From the request that kills its sender to the sender's death: it has left by then. */
const CRASH_AFTER_MS = 5;

/** A world of its own, the network in front of it, and the processes that come and go. */
export interface Simulation {
  readonly clock: VirtualClock;
  readonly world: World;
  readonly network: Network;
  /** A process begins: the one that dies when a request of the script kills its sender. */
  begin(): MortalProcess;
  /** What happened in the world, in milliseconds since the start. */
  effects(): WorldEffect[];
}

export function openSimulation(setup: PlaySetup): Simulation {
  const clock = createVirtualClock({ startMs: START_MS, realWork: "none" });
  const world = createWorld({ dedupe: setup.world.honoursIdempotencyKey });
  let current: MortalProcess | undefined;
  const onCrash = () => void clock.setTimer(() => current?.die(), CRASH_AFTER_MS);
  return {
    clock,
    world,
    network: createNetwork(setup, { clock, world, onCrash }),
    begin: () => {
      current = createMortalProcess(clock);
      return current;
    },
    effects: () => world.effects.map((effect) => ({ ...effect, atMs: (effect.atMs ?? START_MS) - START_MS })),
  };
}
