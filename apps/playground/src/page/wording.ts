import type { ActionReport, ExecutionPlan, ExecutionReport } from "@eoc/core";
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

const MEANINGS = {
  success: "It was applied, and EOC knows.",
  denied: "It was stopped before anything was sent.",
  skipped: "Nothing was to be done.",
  partial: "Some of it was applied; the rest was not.",
} as const;

/** What a report says, for somebody who sees one for the first time. */
export function meaningOf({ status, actions }: ExecutionReport, plan: ExecutionPlan): string {
  const rows = actions.filter((row) => row.status === status);
  const effects = rows.map(({ index }) => plan.actions[index]?.effect);
  if (status === "unknown") return unknownMeaning(rows, effects);
  if (status === "failed") return failedMeaning(rows, effects);
  return MEANINGS[status];
}

function unknownMeaning(rows: readonly ActionReport[], effects: readonly (string | undefined)[]): string {
  if (effects.every((effect) => effect === "once")) {
    return "Nobody can know whether it was applied, so EOC says so and does not try again.";
  }
  const sent = Math.max(...rows.map(({ attemptCount }) => attemptCount));
  const often = sent > 1 ? ` It was sent ${sent} times, which its effect allows.` : "";
  return `Nobody can know whether it was applied, and EOC says so.${often}`;
}

function failedMeaning(rows: readonly ActionReport[], effects: readonly (string | undefined)[]): string {
  if (effects.every((effect) => effect === "none")) {
    return "It did not succeed. It only reads, as the decision says, so there is nothing to be found out.";
  }
  const isRefused = rows.every(({ basis, errorCode }) => basis === "result" && errorCode?.startsWith("http_"));
  return isRefused ? "It was not applied, by the service’s own word." : "It was not applied, and EOC knows.";
}

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
