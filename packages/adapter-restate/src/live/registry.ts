import type { RateVerdict } from "@eoc/core";
import { attempt } from "./limited.js";
import type { LiveEffect } from "./live-effect.js";

type Permit = RateVerdict & { granted: true };

interface Kept<T> {
  readonly what: T;
  /** On the wall clock: nobody can ask for it any more. */
  readonly until: number;
}

/** What this process alone knows, by unguessable names that are on the engine's record. */
class Registry {
  readonly #effects = new Map<string, Kept<LiveEffect>>();
  readonly #permits = new Map<string, Kept<Permit>>();

  /** First event, by execution, that this process has not handed on yet. */
  readonly #told = new Map<string, Kept<number>>();

  told(executionId: string): number {
    return this.#told.get(executionId)?.what ?? 0;
  }

  tell(executionId: string, seq: number, until: number, nowMs: number): void {
    sweep(this.#told, nowMs);
    this.#told.set(executionId, { what: seq + 1, until });
  }

  forgetTold(executionId: string): void {
    this.#told.delete(executionId);
  }

  effect(nonce: string | undefined): LiveEffect | undefined {
    return nonce === undefined ? undefined : this.#effects.get(nonce)?.what;
  }

  /** Those of one execution, in plan order. */
  effectsOf(executionId: string): LiveEffect[] {
    const effects = [...this.#effects.values()].map(({ what }) => what);
    return effects.filter((effect) => effect.executionId === executionId).sort((a, b) => a.action - b.action);
  }

  keepEffect(nonce: string, effect: LiveEffect, until: number, nowMs: number): void {
    sweep(this.#effects, nowMs);
    this.#effects.set(nonce, { what: effect, until });
  }

  forgetEffect(nonce: string): void {
    this.#effects.delete(nonce);
  }

  keepPermit(id: string, permit: Permit, until: number, nowMs: number): void {
    for (const { what } of sweep(this.#permits, nowMs)) attempt(() => what.cancel?.());
    this.#permits.set(id, { what: permit, until });
  }

  /** Gives the permit to the one who will stamp it or hand it back. */
  takePermit(id: string | undefined): Permit | undefined {
    if (id === undefined) return undefined;
    const permit = this.#permits.get(id)?.what;
    this.#permits.delete(id);
    return permit;
  }

  hasPermit(id: string): boolean {
    return this.#permits.has(id);
  }

  /** A permit that replaces one which went with another process. */
  renamePermit(from: string, to: string): void {
    const kept = this.#permits.get(from)!;
    this.#permits.delete(from);
    this.#permits.set(to, kept);
  }

  /** What a process that dies forgets, and how much that was. */
  clear(): number {
    const size = this.#effects.size + this.#permits.size + this.#told.size;
    this.#told.clear();
    this.#effects.clear();
    this.#permits.clear();
    return size;
  }
}

/** Handlers that were moved to another process never come back for what they left here. */
function sweep<T>(map: Map<string, Kept<T>>, nowMs: number): Kept<T>[] {
  const gone: Kept<T>[] = [];
  for (const [name, kept] of map) {
    // Kept in order of arrival, which is nearly that of expiry: what is missed now goes later.
    if (kept.until > nowMs) break;
    map.delete(name);
    gone.push(kept);
  }
  return gone;
}

/**
 * One for the process: attempts of a handler share nothing else, and what the process has begun it has begun for all of
 * them. Where the package is loaded twice, the other copy's effects are unknown, which is in doubt: the safe side.
 */
export const registry = new Registry();
