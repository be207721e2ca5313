import { printable } from "../printable.js";
import { timeText } from "../time-text.js";
import type { KeyEntry } from "./open-store.js";

/** The members of an entry that are shown: what stores keep of values is not among them. */
export function shownEntry(entry: KeyEntry) {
  const { key, state, fingerprint, token, claimedAtMs, startedAtMs, updatedAtMs, leaseUntilMs } = entry;
  return { key, state, fingerprint, token, claimedAtMs, startedAtMs, updatedAtMs, leaseUntilMs };
}

/** One line for each key, under a head. */
export function keyTable(entries: readonly KeyEntry[]): string {
  const rows = entries.map(({ key, state, updatedAtMs, startedAtMs }) => [
    state,
    timeText(updatedAtMs),
    startedAtMs === undefined ? "" : timeText(startedAtMs),
    printable(key),
  ]);
  const hasStarts = rows.some((row) => row[2] !== "");
  const head = ["STATE", "UPDATED", "STARTED", "KEY"];
  const lines = [head, ...rows].map((cells) => cells.filter((_, column) => hasStarts || column !== 2));
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((cells) => cells[column]!.length)));
  return lines
    .map(
      (cells) =>
        `${cells
          .map((cell, at) => cell.padEnd(widths[at]!))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}
