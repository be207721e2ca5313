import { checkOptionNames } from "@eoc/core";
/** One effect that really happened. */
export interface WorldEffect {
  readonly actionId: string;
  /** The idempotency key that came with the dispatch. */
  readonly key?: string;
  /** When it happened, on the clock of the executor that caused it. */
  readonly atMs?: number;
}

/** The outside world of a test: a ledger of what really happened, whatever anybody was told about it. */
export interface World {
  /** In the order in which they happened. */
  readonly effects: readonly WorldEffect[];
  /** An effect of an action reaches the world. False when the world had seen its key before and did nothing. */
  apply(actionId: string, details?: { key?: string | undefined; atMs?: number | undefined }): boolean;
  /** How often it happened: of one action, or of all. */
  count(actionId?: string): number;
  /** Whether the effect of an action happened, under this key where one is given. */
  has(actionId: string, key?: string): boolean;
}

/** Options of {@link createWorld}. */
export interface WorldOptions {
  /** Honour idempotency keys: a key that was seen before changes nothing. @defaultValue false */
  dedupe?: boolean;
}

/**
 * Makes an empty {@link World}.
 * @throws EocError `invalid_option`
 */
export function createWorld(options: WorldOptions = {}): World {
  checkOptionNames(options, { dedupe: true });
  const { dedupe = false } = options;
  const effects: WorldEffect[] = [];
  const seen = new Set<string>();
  return {
    effects,
    apply: (actionId, { key, atMs } = {}) => {
      if (dedupe && key !== undefined) {
        if (seen.has(key)) return false;
        seen.add(key);
      }
      const effect: WorldEffect = {
        actionId,
        ...(key === undefined ? undefined : { key }),
        ...(atMs === undefined ? undefined : { atMs }),
      };
      effects.push(Object.freeze(effect));
      return true;
    },
    count: (actionId) =>
      actionId === undefined ? effects.length : effects.filter((effect) => effect.actionId === actionId).length,
    has: (actionId, key) =>
      effects.some((effect) => effect.actionId === actionId && (key === undefined || effect.key === key)),
  };
}
