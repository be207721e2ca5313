import { Fifo, Place } from "./fifo.js";

/** How many may be on their way to the limiter at once. */
const MOST_AHEAD = 64;

/** Those who wait for one key, longest first. */
class Queue extends Fifo<Stand> {
  /**
   * How many of the first may be on their way, though only the very first asks the limiter. Doubles with each permit that is
   * granted, so that what the way takes, such as a slow gate, does not bound how many are; one again after a refusal.
   */
  ahead = 1;
  /** How often the limiter has refused the first of it. */
  refusals = 0;
}

/** A ticket's place in the queue of one key. */
class Stand extends Place {
  readonly ticket: Ticket;
  readonly key: string;
  readonly queue: Queue;
  /** After how many refusals it was sent on its way while somebody was before: once more only after another. */
  earlyAfter = -1;

  constructor(ticket: Ticket, key: string, queue: Queue) {
    super();
    this.ticket = ticket;
    this.key = key;
    this.queue = queue;
  }
}

/** The line for the permits of one rate limiter: first come, first served, for each key (S6.3). */
export class PermitLine {
  readonly #queues = new Map<string, Queue>();

  /** Joins the queues of all the keys at once. */
  join(keys: readonly string[]): Ticket {
    return new Ticket(this.#queues, keys);
  }

  /**
   * The one who has to be served before a request for these keys. A permit that has just become free is his, even if he has
   * not woken up yet.
   */
  before(keys: readonly string[], own: Ticket | undefined): Ticket | undefined {
    for (const key of keys) {
      const first = this.#queues.get(key)?.first?.ticket;
      if (first !== undefined && first !== own) return first;
    }
    return undefined;
  }
}

/** A place in a line. */
export class Ticket {
  readonly #queues: Map<string, Queue>;
  readonly #stands: readonly Stand[];
  #onTurn: (() => void) | undefined;
  /** Cannot be served before this time, on whichever scale the line is used with. */
  dueAt = 0;

  constructor(queues: Map<string, Queue>, keys: readonly string[]) {
    this.#queues = queues;
    this.#stands = keys.map((key) => {
      const queue = queues.get(key) ?? new Queue();
      queues.set(key, queue);
      const stand = new Stand(this, key, queue);
      queue.add(stand);
      return stand;
    });
  }

  /** Calls `onTurn` once: as soon as nobody is before, or a little earlier, once for each refusal, to be there in time. */
  await(onTurn: () => void): void {
    this.#onTurn = onTurn;
    if (this.#isFirst()) this.#go();
  }

  /** The limiter itself refused. */
  refused(): void {
    for (const { queue } of this.#stands) {
      queue.ahead = 1;
      queue.refusals++;
    }
  }

  /** Does nothing when it has been left before. */
  leave(granted: boolean): void {
    this.#onTurn = undefined;
    for (const stand of this.#stands) {
      const { queue, key } = stand;
      if (!stand.queued) return;
      queue.remove(stand);
      if (queue.size === 0) this.#queues.delete(key);
      if (granted) queue.ahead = Math.min(queue.ahead * 2, MOST_AHEAD);
    }
    for (const { queue } of this.#stands) {
      let place = 0;
      for (const { ticket } of queue) {
        if (place++ === queue.ahead) break;
        ticket.#look();
      }
    }
  }

  /** Somebody before has left. */
  #look(): void {
    if (this.#onTurn === undefined) return;
    if (!this.#isFirst()) {
      if (this.#stands.every(wasEarly) || !this.#stands.every(isAhead)) return;
      for (const stand of this.#stands) stand.earlyAfter = stand.queue.refusals;
    }
    this.#go();
  }

  #isFirst(): boolean {
    return this.#stands.every((stand) => stand.queue.first === stand);
  }

  #go(): void {
    const onTurn = this.#onTurn!;
    this.#onTurn = undefined;
    onTurn();
  }
}

function wasEarly({ earlyAfter, queue }: Stand): boolean {
  return earlyAfter === queue.refusals;
}

function isAhead(stand: Stand): boolean {
  let place = 0;
  for (const other of stand.queue) {
    if (other === stand) return true;
    if (++place === stand.queue.ahead) break;
  }
  return false;
}
