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
  /** With gaps where somebody has left, and room at the end for who comes. */
  #places: (T | undefined)[] = [];
  #head = 0;
  #end = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): T | undefined {
    return this.#places[this.#head];
  }

  get last(): T | undefined {
    return this.#places[this.#end - 1];
  }

  /** Who stands behind somebody who stands here. */
  behind({ index }: T): T | undefined {
    let next = index + 1;
    while (next < this.#end && this.#places[next] === undefined) next++;
    return this.#places[next];
  }

  add(place: T): void {
    place.index = this.#end;
    this.#places[this.#end++] = place;
    this.#size++;
  }

  *[Symbol.iterator](): Iterator<T> {
    const places = this.#places;
    for (let index = this.#head; index < this.#end; index++) {
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
    if (places.length > 2 * this.#size + FEW) return this.#closeGaps();
    if (this.#size === 0) this.#head = this.#end = 0;
    while (this.#end > this.#head && this.last === undefined) this.#end--;
    while (this.#head < this.#end && this.first === undefined) this.#head++;
  }

  take(): T | undefined {
    const { first } = this;
    if (first !== undefined) this.remove(first);
    return first;
  }

  #closeGaps(): void {
    this.#places = this.#places.filter((place) => place !== undefined);
    this.#head = 0;
    this.#end = this.#size;
    this.#places.forEach((place, index) => {
      place!.index = index;
    });
  }
}
