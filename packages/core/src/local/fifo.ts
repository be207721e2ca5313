/** Something that can stand in one queue at a time. */
export class Place {
  previous: Place | undefined = undefined;
  next: Place | undefined = undefined;
  queued = false;
}

/** A queue whose members may leave it from anywhere, all in constant time. */
export class Fifo<T extends Place> {
  #first: Place | undefined;
  #last: Place | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): T | undefined {
    return this.#first as T | undefined;
  }

  add(place: T): void {
    place.queued = true;
    place.previous = this.#last;
    if (this.#last === undefined) this.#first = place;
    else this.#last.next = place;
    this.#last = place;
    this.#size++;
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let place = this.#first; place !== undefined; place = place.next) yield place as T;
  }

  /** Does nothing when it is not in the queue. */
  remove(place: T): void {
    if (!place.queued) return;
    const { previous, next } = place;
    place.queued = false;
    place.previous = undefined;
    place.next = undefined;
    this.#size--;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
  }

  take(): T | undefined {
    const { first } = this;
    if (first !== undefined) this.remove(first);
    return first;
  }
}
