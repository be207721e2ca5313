/** Something that can stand in one queue at a time. */
export class Place {
  /** Where it stands there; −1 when it does not. */
  index = -1;

  get queued(): boolean {
    return this.index >= 0;
  }
}

/** So many gaps are never worth closing. */
const FEW = 32;

/**
 * A queue whose members may leave it from anywhere, all in constant time on average. It is a list: a chain of 100,000 takes a collector
 * twice as long, since it has to be followed one by one, and the threads that are to help find nothing to do.
 */
export class Fifo<T extends Place> {
  /** With gaps where somebody has left. */
  #places: (T | undefined)[] = [];
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): T | undefined {
    return this.#places[this.#head];
  }

  get last(): T | undefined {
    return this.#places[this.#places.length - 1];
  }

  /** Who stands behind somebody who stands here. */
  behind({ index }: T): T | undefined {
    const places = this.#places;
    let next = index + 1;
    while (next < places.length && places[next] === undefined) next++;
    return places[next];
  }

  add(place: T): void {
    place.index = this.#places.length;
    this.#places.push(place);
    this.#size++;
  }

  *[Symbol.iterator](): Iterator<T> {
    const places = this.#places;
    for (let index = this.#head; index < places.length; index++) {
      const place = places[index];
      if (place !== undefined) yield place;
    }
  }

  /** Does nothing when it is not in the queue. */
  remove(place: T): void {
    const places = this.#places;
    const { index } = place;
    if (index < 0) return;
    places[index] = undefined;
    place.index = -1;
    this.#size--;
    while (places.length > 0 && this.last === undefined) places.pop();
    while (this.#head < places.length && this.first === undefined) this.#head++;
    if (places.length > 2 * this.#size + FEW) this.#closeGaps();
    if (this.#size === 0) this.#head = 0;
  }

  take(): T | undefined {
    const { first } = this;
    if (first !== undefined) this.remove(first);
    return first;
  }

  #closeGaps(): void {
    this.#places = this.#places.filter((place) => place !== undefined);
    this.#head = 0;
    this.#places.forEach((place, index) => {
      place!.index = index;
    });
  }
}
