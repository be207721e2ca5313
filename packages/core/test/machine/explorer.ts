import type { Input } from "../../src/machine/index.js";
import { feed, fork, type Model, mislead, modelOf } from "./model.js";
import { type Move, misfits, movesOf } from "./moves.js";
import type { Scenario } from "./scenario.js";
import { keyOf } from "./state-key.js";
import { Violation } from "./trail.js";

/** What an exploration has seen. */
export interface Explored {
  /** Different states of the machine and what is around it. */
  readonly states: number;
  /** Inputs that were fed. */
  readonly steps: number;
  /** Orders of inputs, from the start to where nothing more can happen. */
  readonly paths: number;
  /** Inputs that fit nowhere, each fed to a state of its own. */
  readonly misfits: number;
}

/**
 * Feeds a scenario's machine every order of inputs, checking the invariants at each. States that have been met before
 * are not gone through again: what may follow is the same.
 * @throws Violation with the path that led to it.
 */
export function explore(scenario: Scenario): Explored {
  const explorer = new Explorer();
  const paths = explorer.visit(modelOf(scenario));
  return { states: explorer.pathsFrom.size, steps: explorer.steps, paths, misfits: explorer.misfits };
}

/** Marks a state whose visit has not ended. */
const UNDER_WAY = -1;

/** One step in so many is taken by a restored machine as well. */
const TWICE_EVERY = 211;

class Explorer {
  readonly pathsFrom = new Map<string, number>();
  steps = 0;
  misfits = 0;

  /** How many paths go on from here. */
  visit(model: Model): number {
    const key = keyOf(model);
    const known = this.pathsFrom.get(key);
    if (known === UNDER_WAY)
      throw new Violation("S4.1 every path ends: this one comes back to where it was", model.trail);
    if (known !== undefined) return known;
    this.pathsFrom.set(key, UNDER_WAY);
    const moves = movesOf(model);
    const isFinished = model.machine.status === "finished";
    if (moves.length === 0 && !isFinished)
      throw new Violation("S4.1 every path finishes: this one stands still", model.trail);
    // What has not settled by now may never do so.
    let paths = isFinished ? 1 : 0;
    for (const move of moves) paths += this.visit(this.#next(model, move));
    if (model.scenario.garbage) for (const input of misfits(model)) this.#mislead(model, input);
    this.pathsFrom.set(key, paths);
    return paths;
  }

  #next(model: Model, move: Move): Model {
    const next = fork(model);
    this.steps++;
    take(next, move, this.steps % TWICE_EVERY === 0);
    return next;
  }

  #mislead(model: Model, input: Input): void {
    const next = fork(model);
    this.misfits++;
    mislead(next, input);
    // Executors may settle yet, and ports answer.
    if (model.machine.status !== "finished") this.visit(next);
  }
}

/** Makes a move. */
export function take(model: Model, move: Move, twice = false): void {
  if ("until" in move) {
    if (move.lag) {
      model.lagsLeft--;
      model.laggedMs += move.until - model.now;
    }
    model.now = move.until;
    return;
  }
  const { input, early } = move;
  if (early) model.earlyTimersLeft--;
  if (input.type === "halt") model.haltsLeft--;
  if (input.type === "listener_failed") model.listenerMayFail = false;
  feed(model, input, twice);
}
