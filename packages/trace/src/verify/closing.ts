import { TERMINAL_REASONS, type TerminalReason } from "@eoc/core";
import type { Charges, EventOf } from "./action-conduct.js";

type Row = Pick<EventOf<"action.finished">, "status" | "reason">;

/** Holds what an execution says of itself at its end to its rows (S10). */
export class Closing {
  /** Rows by status, those of a `HOLD` only among `all`: they do not count unless there is nothing else. */
  readonly #counts = new Map<string, number>();
  #all = 0;
  #isAbnormal = false;

  row({ status, reason }: Row): void {
    this.#all++;
    if (status !== "success" && status !== "skipped") this.#isAbnormal ||= isAbnormal(reason);
    if (reason !== "hold") this.#counts.set(status, this.#count(status) + 1);
  }

  check(
    { status, reason, failClosed, planHash, deniedCount }: EventOf<"execution.finished">,
    begunWith: string,
    { broken }: Charges,
  ): void {
    const lie = (words: string) => broken("end_mismatch", `the execution ends ${words}`);
    if (planHash !== begunWith) lie("with another plan than it began with");
    const expected = this.#all > 0 ? this.#status() : status === "denied" ? "denied" : "skipped";
    if (status !== expected) lie(`${status}; its rows make it ${expected}`);
    const denied = this.#all > 0 ? this.#count("denied") : Number(status === "denied");
    if (deniedCount !== undefined && deniedCount !== denied) lie(`with ${deniedCount} denied, where ${denied} are`);
    if (!failClosed && (this.#isAbnormal || (this.#all === 0 && isAbnormal(reason))))
      lie("without failClosed, although something abnormal stopped it");
  }

  #count(status: string): number {
    return this.#counts.get(status) ?? 0;
  }

  #status(): string {
    const isMixed = this.#counts.size > 1;
    if (!this.#counts.has("unknown") && this.#counts.has("success")) return isMixed ? "partial" : "success";
    return ["unknown", "failed", "denied"].find((status) => this.#counts.has(status)) ?? "skipped";
  }
}

function isAbnormal(reason: TerminalReason | undefined): boolean {
  return reason !== undefined && Object.hasOwn(TERMINAL_REASONS, reason) && TERMINAL_REASONS[reason];
}
