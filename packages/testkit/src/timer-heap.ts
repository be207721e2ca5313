/** One armed timer. */
export interface ArmedTimer {
  /** Monotonic time at which it is due. */
  readonly dueMs: number;
  /** Order of arming: decides between timers that are due together. */
  readonly order: number;
  readonly callback: () => void;
  readonly name: string | undefined;
  /** Place in the heap; −1 once fired or cancelled. */
  slot: number;
}

/** Armed timers, earliest first. Adding and removing any one costs O(log n), and nothing is kept of a removed one. */
export class TimerHeap {
  readonly #items: ArmedTimer[] = [];

  get size(): number {
    return this.#items.length;
  }

  get first(): ArmedTimer | undefined {
    return this.#items[0];
  }

  add(timer: ArmedTimer): void {
    this.#items.push(timer);
    this.#rise(timer, this.#items.length - 1);
  }

  /** Removes `timer`; one that is no longer armed is ignored. */
  remove(timer: ArmedTimer): void {
    const { slot } = timer;
    if (slot < 0) return;
    timer.slot = -1;
    const last = this.#items.pop()!;
    if (last === timer) return;
    this.#rise(last, slot);
    this.#sink(last, last.slot);
  }

  /** The armed timers in the order in which they will fire. */
  inOrder(): ArmedTimer[] {
    return [...this.#items].sort((a, b) => (isBefore(a, b) ? -1 : 1));
  }

  #rise(timer: ArmedTimer, from: number): void {
    let slot = from;
    while (slot > 0) {
      const parent = (slot - 1) >> 1;
      if (!isBefore(timer, this.#items[parent]!)) break;
      this.#put(this.#items[parent]!, slot);
      slot = parent;
    }
    this.#put(timer, slot);
  }

  #sink(timer: ArmedTimer, from: number): void {
    const count = this.#items.length;
    let slot = from;
    for (;;) {
      let child = 2 * slot + 1;
      if (child >= count) break;
      if (child + 1 < count && isBefore(this.#items[child + 1]!, this.#items[child]!)) child++;
      if (!isBefore(this.#items[child]!, timer)) break;
      this.#put(this.#items[child]!, slot);
      slot = child;
    }
    this.#put(timer, slot);
  }

  #put(timer: ArmedTimer, slot: number): void {
    this.#items[slot] = timer;
    timer.slot = slot;
  }
}

function isBefore(a: ArmedTimer, b: ArmedTimer): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}
