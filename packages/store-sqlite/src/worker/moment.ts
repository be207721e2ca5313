import { readFileSync } from "node:fs";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { MachineTime } from "../machine-time.ts";
import { StoreFailure } from "./failure.ts";

/** The monotonic clock never goes back within a boot; rounding, and processors that disagree a little, are allowed for. */
const TOLERANCE_MS = 1000;

interface ClockRow {
  boot: string;
  base_ms: number;
  highest_ms: number;
  last_token: number;
}

/**
 * The file's own time, and its numbers. Time is the machine's monotonic clock: all processes of one boot share it, and no step
 * of any wall clock moves it. After a restart of the machine that clock begins anew, so the file's time goes on from the highest that
 * is on record: time in which the machine was off does not count. Leases, limits and records thus may last longer, never shorter.
 */
export class Moment {
  /** Milliseconds of the file's time. */
  nowMs = 0;
  /** For people. */
  wallMs = 0;
  #row: ClockRow = { boot: "", base_ms: 0, highest_ms: 0, last_token: 0 };
  readonly #time: MachineTime;
  readonly #boot: string;
  readonly #select: StatementSync;
  readonly #update: StatementSync;

  constructor(db: DatabaseSync, time: MachineTime, boot = readBootId()) {
    this.#time = time;
    this.#boot = boot;
    this.#select = db.prepare("SELECT boot, base_ms, highest_ms, last_token FROM eoc_clock");
    this.#update = db.prepare("UPDATE eoc_clock SET boot = ?, base_ms = ?, highest_ms = ?, last_token = ?");
  }

  /** Looks at the clock, in a transaction or for reading. @throws StoreFailure `clock_regressed` */
  take(): void {
    const row = { ...(this.#select.get() as unknown as ClockRow) };
    const monotonicMs = this.#time.monotonicMs();
    const behindMs = row.highest_ms - (row.base_ms + monotonicMs);
    const isSameBoot = row.boot === this.#boot && this.#boot !== "";
    if (isSameBoot && behindMs > TOLERANCE_MS) {
      throw new StoreFailure("clock_regressed", `the monotonic clock is ${Math.ceil(behindMs)} ms behind the file's`);
    }
    // Where a boot has no name, a clock that went back tells; one that did not has counted too little, which is safe.
    if (row.boot !== this.#boot || behindMs > TOLERANCE_MS) row.base_ms = row.highest_ms;
    row.boot = this.#boot;
    this.#row = row;
    this.nowMs = Math.max(row.base_ms + monotonicMs, row.highest_ms);
    this.wallMs = Math.trunc(this.#time.wallMs());
  }

  /** A number that this file has never given before: a fencing token, or the name of a permit. */
  nextNumber(): number {
    return ++this.#row.last_token;
  }

  /** What the file's time was at a time of the machine's monotonic clock in this boot. */
  at(monotonicMs: number): number {
    return Math.min(this.#row.base_ms + monotonicMs, this.nowMs);
  }

  /** Writes down how late it is, in the transaction that {@link take} was called in. */
  save(): void {
    const { boot, base_ms, last_token } = this.#row;
    this.#update.run(boot, base_ms, this.nowMs, last_token);
  }
}

/** Linux names every boot; elsewhere there is no name. */
function readBootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}
