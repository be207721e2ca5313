import type { Clock, KillSwitchState } from "@eoc/core";
import type { InTime } from "./in-time.js";

/** A state, and how many changes there had been. */
export interface VersionedState<State extends KillSwitchState = KillSwitchState> {
  readonly version: number;
  readonly state: State;
}

/** A connection that listens. */
export interface Listening {
  /** Stops listening and gives the connection back. Never rejects; may hang with the server. */
  leave(): Promise<void>;
  /** Throws the connection away, where it is a connection of ours. */
  drop(): void;
}

export interface ListenHooks {
  readonly heard: (message: string) => void;
  /** The connection was lost, now or meanwhile: whatever was sent since may have been missed. */
  readonly lost: () => void;
}

export interface WatchOptions<Connection extends Listening> {
  readonly clock: Clock;
  readonly inTime: InTime;
  readonly pollMs: number;
  /** Rejects where it cannot listen now. Undefined to poll alone. */
  readonly listen: ((hooks: ListenHooks) => Promise<Connection>) | undefined;
  /** Reads the state, and has the connection that listens prove that it lives. */
  readonly poll: (listening: Connection | undefined) => Promise<VersionedState>;
  /** What a message says of this switch. */
  readonly parse: (message: string) => VersionedState | undefined;
}

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 10_000;

/** What listeners are told when nobody knows. */
const OUT_OF_REACH: KillSwitchState = Object.freeze({ halted: true, reason: "the kill switch is out of reach" });

/**
 * Follows a switch for its listeners: listens and polls. Whatever fails halts, and is tried again, ever less
 * often.
 */
export class SwitchWatch<Connection extends Listening> {
  readonly #options: WatchOptions<Connection>;
  readonly #listeners = new Set<(state: KillSwitchState) => void>();
  #listening: Connection | undefined;
  /** The newest that is known; `state` is what listeners were told last. */
  #version = -1;
  /** Counts what was learned, so that a server that lost its newest version is believed all the same. */
  #news = 0;
  #state: KillSwitchState = { halted: false };
  #failures = 0;
  #stopTimer: (() => void) | undefined;
  #round: Promise<void> | undefined;
  #again = false;
  #started = false;
  #closed = false;

  constructor(options: WatchOptions<Connection>) {
    this.#options = options;
  }

  subscribe(listener: (state: KillSwitchState) => void): () => void {
    this.#options.inTime.checkOpen();
    const own = (state: KillSwitchState) => listener(state);
    this.#listeners.add(own);
    if (!this.#started) {
      this.#started = true;
      this.#look();
    }
    return () => {
      this.#listeners.delete(own);
    };
  }

  /**
   * What was heard, or done here, or read. What is older than what is known is not told, unless it was asked for when
   * all of that was known: then the server has lost the rest.
   */
  learn({ version, state }: VersionedState, askedAfter = -1): void {
    if (version < this.#version && askedAfter !== this.#news) return;
    this.#version = version;
    this.#news++;
    this.#tell(state);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopTimer?.();
    await this.#round;
    const listening = this.#listening;
    this.#listening = undefined;
    try {
      if (listening !== undefined) await this.#options.inTime.within(listening.leave());
    } catch {
      listening?.drop();
    }
    this.#listeners.clear();
  }

  /** Looks now; again at once if asked to while it does. */
  #look(): void {
    if (this.#closed) return;
    if (this.#round !== undefined) {
      this.#again = true;
      return;
    }
    this.#stopTimer?.();
    this.#again = false;
    this.#round = this.#try().then((ok) => {
      this.#round = undefined;
      if (this.#closed) return;
      if (ok && this.#again) return this.#look();
      const { pollMs, clock } = this.#options;
      const retryMs = Math.min(FIRST_RETRY_MS * 2 ** Math.min(this.#failures - 1, 20), LONGEST_RETRY_MS);
      this.#stopTimer = clock.setTimer(() => this.#look(), ok ? pollMs : retryMs);
    });
  }

  async #try(): Promise<boolean> {
    const { listen, poll, inTime } = this.#options;
    try {
      if (listen !== undefined && this.#listening === undefined) await this.#listen(listen);
      const askedAfter = this.#news;
      this.learn(await inTime.within(poll(this.#listening)), askedAfter);
      this.#failures = 0;
      return true;
    } catch {
      this.#failures++;
      this.#lose();
      return false;
    }
  }

  async #listen(listen: (hooks: ListenHooks) => Promise<Connection>): Promise<void> {
    const { parse, inTime } = this.#options;
    const hooks = {
      heard: (message: string) => {
        const news = parse(message);
        if (news !== undefined && !this.#closed) this.learn(news);
      },
      lost: () => {
        this.#lose();
        this.#look();
      },
    };
    this.#listening = await inTime.within(listen(hooks), (late) => void late.leave());
  }

  #lose(): void {
    if (this.#closed) return;
    this.#listening?.drop();
    this.#listening = undefined;
    // Who has just begun reads for himself, and is to hear that nobody knows (S2.3), not of a halt that nobody gave.
    if (this.#news > 0 || this.#failures > 1) this.#tell(OUT_OF_REACH);
  }

  #tell(state: KillSwitchState): void {
    if (state.halted === this.#state.halted && state.reason === this.#state.reason) return;
    const { halted, reason } = state;
    this.#state = Object.freeze(reason === undefined ? { halted } : { halted, reason });
    for (const listener of [...this.#listeners]) {
      try {
        listener(this.#state);
      } catch {
        // One listener's failure keeps none of the others from hearing of a halt.
      }
    }
  }
}
