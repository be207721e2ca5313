interface Waiter {
  readonly enter: () => void;
  next: Waiter | undefined;
}

/** So many at a time; the freed slot is handed to whoever has waited longest. */
export class Slots {
  #free: number;
  #first: Waiter | undefined;
  #last: Waiter | undefined;

  constructor(limit: number) {
    this.#free = limit;
  }

  tryEnter(): boolean {
    if (this.#free === 0) return false;
    this.#free--;
    return true;
  }

  /** Its continuation runs in the asynchronous context of whoever awaits it. */
  wait(): Promise<void> {
    return new Promise((enter) => {
      const waiter: Waiter = { enter, next: undefined };
      if (this.#last === undefined) this.#first = waiter;
      else this.#last.next = waiter;
      this.#last = waiter;
    });
  }

  leave(): void {
    const waiter = this.#first;
    if (waiter === undefined) {
      this.#free++;
      return;
    }
    this.#first = waiter.next;
    if (this.#first === undefined) this.#last = undefined;
    waiter.enter();
  }
}
