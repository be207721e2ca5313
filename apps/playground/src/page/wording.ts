import type { Tone } from "../engine/tracks.js";

/** What an effect is to the outside world. */
export interface Effect {
  readonly one: string;
  readonly many: string;
  readonly again: string;
}

const EFFECTS: Readonly<Record<string, Effect>> = {
  refund: { one: "refund paid", many: "refunds paid", again: "paid again" },
  order: { one: "order placed", many: "orders placed", again: "placed again" },
  door: { one: "door opened", many: "doors opened", again: "opened again" },
  deploy: { one: "deploy made", many: "deploys made", again: "made again" },
};
const ANY: Effect = { one: "effect", many: "effects", again: "done again" };

export function effectOf(actionId: string): Effect {
  return EFFECTS[actionId.split("-")[0] ?? ""] ?? ANY;
}

/** `2 refunds paid`, where all effects are of one kind. */
export function counted(count: number, actionIds: readonly string[]): string {
  const kinds = [...new Set(actionIds.map((id) => effectOf(id)))];
  const { one, many } = kinds.length === 1 ? kinds[0]! : ANY;
  return count === 1 ? one : many;
}

/** A shape for every tone, since colours alone would not do. */
export const GLYPHS: Readonly<Record<Tone, string>> = {
  applied: "●",
  not_applied: "○",
  unknown: "?",
  waiting: "⋯",
  denied: "⊘",
  skipped: "–",
};

/** What a status of EOC's means, for somebody who sees it for the first time. */
export const MEANINGS: Readonly<Record<string, string>> = {
  success: "It was applied, and EOC knows.",
  unknown: "Nobody can know whether it was applied, so EOC says so and does not try again.",
  failed: "It was not applied, by the service’s own word.",
  denied: "It was stopped before anything was sent.",
  skipped: "Nothing was to be done.",
  partial: "Some of it was applied; the rest was not.",
};

/** What naive retry means by what it says. */
export const BELIEFS: Readonly<Record<string, string>> = {
  success: "It got an “ok” in the end, and counts the rest as nothing.",
  failed: "It ran out of tries.",
  skipped: "Nothing was to be done.",
};

export function shownMs(ms: number): string {
  if (ms >= 10_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.round(ms).toLocaleString("en")} ms`;
}

export function money(cents: number): string {
  return `€${(cents / 100).toFixed(2)}`;
}
