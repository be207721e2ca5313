import { Fifo, type Place } from "../local/fifo.js";
import { callUnheard } from "./ports-guard.js";

/** Who is told when a signal aborts. */
export interface Listener extends Place {
  onAbort(): void;
}

const hubs = new WeakMap<AbortSignal, SignalHub>();

/**
 * Those who listen to one signal. However many they are, the signal carries one listener, and none when the last has gone: signals
 * search theirs linearly and keep them alive (S4.6). The hub stays with its signal: making it anew costs 15 µs a time.
 */
export class SignalHub {
  readonly #signal: AbortSignal;
  readonly #listeners = new Fifo<Listener>();
  readonly #onAbort = () => {
    for (let next = this.#listeners.take(); next !== undefined; next = this.#listeners.take()) next.onAbort();
    this.#stopListening();
  };

  private constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  static of(signal: AbortSignal): SignalHub {
    let hub = hubs.get(signal);
    if (hub === undefined) {
      hub = new SignalHub(signal);
      hubs.set(signal, hub);
    }
    return hub;
  }

  join(listener: Listener): void {
    if (this.#listeners.size === 0) this.#signal.addEventListener("abort", this.#onAbort);
    this.#listeners.add(listener);
  }

  /** Never throws. Does nothing for who has been told. */
  leave(listener: Listener): void {
    if (!listener.queued) return;
    this.#listeners.remove(listener);
    if (this.#listeners.size === 0) this.#stopListening();
  }

  #stopListening(): void {
    // What only looks like a signal may have no such method.
    callUnheard(() => this.#signal.removeEventListener("abort", this.#onAbort));
  }
}
