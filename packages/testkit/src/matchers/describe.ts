import type { ActionReport, ExecutionReport } from "@eoc/core";
import { valueText } from "../value-text.js";

type Ended = ExecutionReport | ActionReport;

/** A report, or a row of one. @throws TypeError for anything else, so that no negation passes by accident. */
export function asEnded(received: unknown, matcher: string): Ended {
  const { status, attemptCount } = members(received);
  if (typeof status === "string" && typeof attemptCount === "number") return received as Ended;
  throw new TypeError(`${matcher} is for reports and their rows, not for ${valueText(received)}`);
}

/** The members of anything. */
export function members(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/** One line: what it came to, and why. */
export function summaryOf(ended: Ended): string {
  const details = [ended.reason, ...("errorCode" in ended ? [ended.errorCode] : []), failClosedText(ended)];
  const known = details.filter((detail) => detail !== undefined);
  return `${ended.status}${known.length > 0 ? ` (${known.join(", ")})` : ""}`;
}

function failClosedText(ended: Ended): string | undefined {
  return "failClosed" in ended && ended.failClosed ? "fail closed" : undefined;
}

/** What a reader of a failed assertion wants to see next: all the rows. */
export function rowsOf(ended: Ended): string {
  if (!("actions" in ended)) return "";
  const rows = ended.actions.map(
    ({ index, id, action, status, reason, errorCode, attemptCount }) =>
      `  ${index}  ${action} ${id}: ${status}, ${[reason, errorCode].filter((part) => part !== undefined).join(", ")}, dispatched ${timesText(attemptCount)}`,
  );
  return rows.length === 0 ? "\n\nno rows" : `\n\n${rows.join("\n")}`;
}

function timesText(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}

/** Counts by name, or of all together. */
export type Counts = number | Readonly<Record<string, number>>;

/** Whether the counts are as expected; names that are not expected have to be 0. */
export function hasCounts(counts: ReadonlyMap<string, number>, expected: Counts): boolean {
  if (typeof expected === "number") return total(counts) === expected;
  const names = new Set([...counts.keys(), ...Object.keys(expected)]);
  return [...names].every((name) => (counts.get(name) ?? 0) === (expected[name] ?? 0));
}

export function countsText(counts: ReadonlyMap<string, number>): string {
  const each = [...counts].map(([name, count]) => `${name} ${timesText(count)}`);
  return `${timesText(total(counts))}${each.length > 0 ? `: ${each.join(", ")}` : ""}`;
}

export function expectedText(expected: Counts): string {
  if (typeof expected === "number") return timesText(expected);
  return (
    Object.entries(expected)
      .map(([name, count]) => `${name} ${timesText(count)}`)
      .join(", ") || "not at all"
  );
}

function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

/** How often each name occurs. */
export function countBy(names: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
