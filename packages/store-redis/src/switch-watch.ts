import type { Clock, KillSwitchState } from "@eoc/core";
import { withinTime } from "./calls.js";
import type { Commands, Listening } from "./client.js";
import { StoreError } from "./store-error.js";

/** A state, and how many changes there had been. */
export interface VersionedState<State extends KillSwitchState = KillSwitchState> {
  readonly version: number;
  readonly state: State;
}

export interface WatchOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly pollMs: number;
  readonly channel: string;
  readonly commands: Commands;
  readonly read: () => Promise<VersionedState>;
  /** What a message says of this switch. */
  readonly parse: (payload: string) => VersionedState | undefined;
}

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 10_000;

/** What listeners are told when nobody knows. */
const OUT_OF_REACH: KillSwitchState = Object.freeze({ halted: true, reason: "the kill switch is out of reach" });

/**
 * Follows a switch for its listeners: listens and polls. With every poll the connection that listens is asked whether it
 * lives. Whatever fails halts, and is tried again, ever less often.
 */
export class SwitchWatch {
  readonly #options: WatchOptions;
  readonly #listeners = new Set<(state: KillSwitchState) => void>();
  #listening: Listening | undefined;
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

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  subscribe(listener: (state: KillSwitchState) => void): () => void {
    if (this.#closed) throw new StoreError("closed", "the kill switch was closed");
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

  /** What was heard, or done here, or read: an answer that is older than what came while it was asked for is not told. */
  learn({ version, state }: VersionedState, askedAfter = this.#news): void {
    if (version < this.#version && askedAfter !== this.#news) return;
    this.#version = version;
    this.#news++;
    this.#tell(state);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopTimer?.();
    await this.#round;
    const { clock, timeoutMs } = this.#options;
    const listening = this.#listening;
    this.#listening = undefined;
    try {
      if (listening !== undefined) await withinTime(listening.leave(), { clock, timeoutMs });
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
    const { read, clock, timeoutMs } = this.#options;
    try {
      if (this.#listening === undefined) await this.#listen();
      else await withinTime(this.#listening.ping(), { clock, timeoutMs });
      const askedAfter = this.#news;
      this.learn(await withinTime(read(), { clock, timeoutMs }), askedAfter);
      this.#failures = 0;
      return true;
    } catch {
      this.#failures++;
      this.#lose();
      return false;
    }
  }

  async #listen(): Promise<void> {
    const { commands, channel, parse, clock, timeoutMs } = this.#options;
    const hooks = {
      heard: (payload: string) => {
        const news = parse(payload);
        if (news !== undefined && !this.#closed) this.learn(news);
      },
      lost: () => {
        this.#lose();
        this.#look();
      },
    };
    const tooLate = (late: Listening) => void late.leave();
    this.#listening = await withinTime(commands.listen(channel, hooks), { clock, timeoutMs }, tooLate);
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
