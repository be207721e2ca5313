/** Something that is due at some time; `place` is where it stands in the heap, −1 when it does not. */
export interface Deadline {
  readonly dueAt: number;
  callback(): void;
  /** Order of arming: those due at the same time keep it. */
  order: number;
  place: number;
}

/** Deadlines by time, then by order of arming. Adding, removing and taking the first cost the logarithm of their number. */
export class DeadlineHeap {
  readonly #items: Deadline[] = [];

  get first(): Deadline | undefined {
    return this.#items[0];
  }

  add(deadline: Deadline): void {
    this.#items.push(deadline);
    this.#rise(deadline, this.#items.length - 1);
  }

  remove(deadline: Deadline): void {
    const { place } = deadline;
    if (place < 0) return;
    deadline.place = -1;
    const last = this.#items.pop()!;
    if (last === deadline) return;
    this.#rise(last, place);
    this.#sink(last, last.place);
  }

  #rise(deadline: Deadline, from: number): void {
    let place = from;
    while (place > 0) {
      const parent = this.#items[(place - 1) >> 1]!;
      if (!isBefore(deadline, parent)) break;
      this.#put(parent, place);
      place = (place - 1) >> 1;
    }
    this.#put(deadline, place);
  }

  #sink(deadline: Deadline, from: number): void {
    let place = from;
    for (;;) {
      const left = this.#items[2 * place + 1];
      const right = this.#items[2 * place + 2];
      const child = right !== undefined && isBefore(right, left!) ? right : left;
      if (child === undefined || !isBefore(child, deadline)) break;
      const next = child.place;
      this.#put(child, place);
      place = next;
    }
    this.#put(deadline, place);
  }

  #put(deadline: Deadline, place: number): void {
    this.#items[place] = deadline;
    deadline.place = place;
  }
}

function isBefore(a: Deadline, b: Deadline): boolean {
  return a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.order < b.order);
}
