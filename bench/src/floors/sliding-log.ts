/** At most `limit` starts in every window of `windowMs`, wherever it is laid. */
export class SlidingLog {
  readonly #limit: number;
  readonly #windowMs: number;
  #starts: number[] = [];
  #head = 0;

  constructor(limit: number, windowMs: number) {
    this.#limit = limit;
    this.#windowMs = windowMs;
  }

  /** Milliseconds until one more may start; 0 when it may now, which is counted. */
  take(nowMs: number): number {
    const starts = this.#starts;
    while (this.#head < starts.length && starts[this.#head]! + this.#windowMs <= nowMs) this.#head++;
    if (this.#head > 32 && this.#head * 2 > starts.length) {
      starts.splice(0, this.#head);
      this.#head = 0;
    }
    if (starts.length - this.#head >= this.#limit) return starts[this.#head]! + this.#windowMs - nowMs;
    starts.push(nowMs);
    return 0;
  }
}
