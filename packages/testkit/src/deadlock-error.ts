/** Somebody who waits, as the virtual clock knows them. */
export interface Waiting {
  who: string;
  waitsFor: string;
  /** Virtual milliseconds since the clock was made. */
  sinceMs: number;
}

/** A timer that was armed when the clock gave up. */
export interface WaitingTimer {
  name?: string;
  /** Virtual milliseconds since the clock was made. */
  dueMs: number;
}

const DEADLOCK = Symbol.for("@eoc/testkit/DeadlockError");
const SHOWN = 20;

/**
 * What a run rejects with when it can never end. The message is a table of who waits for what, and of the armed timers.
 */
export class DeadlockError extends Error {
  /** `deadlock`: nothing can happen any more. `livelock`: timers go on firing, but `maxTimers` of them did not end it. */
  readonly kind: "deadlock" | "livelock";
  readonly waiting: readonly Waiting[];
  readonly timers: readonly WaitingTimer[];

  constructor(
    kind: "deadlock" | "livelock",
    summary: string,
    waiting: readonly Waiting[],
    timers: readonly WaitingTimer[],
  ) {
    super(`${summary}\n\n${waitingTable(waiting)}\n\n${timerTable(timers)}`);
    this.name = "DeadlockError";
    this.kind = kind;
    this.waiting = waiting;
    this.timers = timers;
    Object.defineProperty(this, DEADLOCK, { value: true });
  }
}

/** Tells a {@link DeadlockError}, also across copies of the package. */
export function isDeadlockError(error: unknown): error is DeadlockError {
  return typeof error === "object" && error !== null && (error as Record<symbol, unknown>)[DEADLOCK] === true;
}

function waitingTable(waiting: readonly Waiting[]): string {
  const rows = waiting.map(({ who, waitsFor, sinceMs }) => [who, waitsFor, `${sinceMs} ms`]);
  return table(["who", "waits for", "since"], rows);
}

function timerTable(timers: readonly WaitingTimer[]): string {
  if (timers.length === 0) return "armed timers: none";
  const rows = timers.map(({ name, dueMs }) => [name ?? "(unnamed)", Number.isFinite(dueMs) ? `${dueMs} ms` : "never"]);
  return `armed timers: ${timers.length}\n${table(["name", "due at"], rows)}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const shown = [head, ...rows.slice(0, SHOWN)];
  const widths = head.map((_, column) => Math.max(...shown.map((row) => row[column]!.length)));
  const lines = shown.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd(),
  );
  if (rows.length > SHOWN) lines.push(`… and ${rows.length - SHOWN} more`);
  return lines.join("\n");
}
