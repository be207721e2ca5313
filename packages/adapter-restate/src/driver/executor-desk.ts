import type { Command, Input, Phase } from "@eoc/core/machine";
import { LIMIT, type Watch, type Watched } from "../live/live-effect.js";
import { registry } from "../live/registry.js";
import { carryOutEffect, type Effected, type Intent, makeIntent, watchEffect } from "./effect-step.js";
import type { EngineRecord } from "./engine-record.js";
import type { KeyDesk } from "./key-desk.js";
import { tell } from "./outbox.js";
import { limitMsOf } from "./port-steps.js";
import { intentLifeMs, type Shop } from "./shop.js";
import type { Track } from "./track.js";

/** `errorType` of an attempt of which it is not known whether it was begun: the process that may have is gone. */
export const EFFECT_IN_DOUBT = "EffectInDoubt";

/** The phases in which the machine's timer is the executor's limit, grace or last chance: kept by the watching step. */
const AT_THE_EXECUTOR: ReadonlySet<Phase> = new Set(["in_flight", "grace", "settlement"]);

/** Between two rounds of a dispatch that is refused at the last moment. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 60_000;

/** Intents, dispatches, and what becomes of them. */
export class ExecutorDesk {
  readonly #shop: Shop;
  readonly #record: EngineRecord;
  readonly #keys: KeyDesk;
  readonly #tracks: readonly Track[];

  constructor(shop: Shop, record: EngineRecord, keys: KeyDesk, tracks: readonly Track[]) {
    this.#shop = shop;
    this.#record = record;
    this.#keys = keys;
    this.#tracks = tracks;
  }

  /** The event is durable, and the nonce known to this process, before the dispatch (S8.2). */
  async intend({ action, event, limitAt }: Command & { type: "intend" }): Promise<void> {
    const { ok, intent } = await this.#record.step(`intend ${action}`, async () => {
      const { durable, ...told } = await tell(this.#shop, event, limitMsOf(this.#shop, { limitAt }));
      return { ok: durable, intent: makeIntent(this.#shop, action), ...told };
    });
    this.#intended(action, intent);
    this.#record.news({ type: "intent", action, ok }, intent.at);
  }

  #intended(action: number, intent: Intent): void {
    const track = this.#tracks[action]!;
    if (track.intent !== undefined) registry.forgetEffect(track.intent.nonce);
    track.intent = intent;
  }

  /** Takes the effect step, again under a new intent as long as it says that nothing was begun. */
  async effect({ action, limitAt }: Command & { type: "read_switch" }, alone: boolean): Promise<void> {
    const { machine } = this.#shop;
    const track = this.#tracks[action]!;
    const { portTimeoutMs, maxTotalTimeMs } = machine.policy.timeout;
    let effected = await this.#takeEffect(action, limitAt, alone);
    for (let round = 0; effected.again !== undefined; round++) {
      // Every round is on record: whoever is refused for long asks less and less often.
      const least = effected.again === 0 ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** round, LONGEST_PAUSE_MS);
      const pause = Math.min(Math.max(effected.again, least), Math.max(0, maxTotalTimeMs - effected.at));
      if (pause > 0) await this.#record.alone(this.#record.timer(`again ${action}`, effected.at + pause));
      this.#intended(
        action,
        await this.#record.step(`intend again ${action}`, async () => makeIntent(this.#shop, action)),
      );
      effected = await this.#takeEffect(action, machine.at + portTimeoutMs, alone);
    }
    track.effected = effected;
    const at = effected.doubt ? track.intent!.at : effected.at;
    const wall = effected.wallMs === undefined ? undefined : { wallMs: effected.wallMs };
    const lost = effected.lost ? { heldUntil: 0 } : undefined;
    this.#record.urgent({ type: "switch", action, verdict: effected.verdict, at, ...wall, ...lost });
  }

  #takeEffect(action: number, limitAt: number, alone: boolean): Promise<Effected> {
    const { machine } = this.#shop;
    const track = this.#tracks[action]!;
    const order = {
      action,
      limitAt,
      intent: machine.actions[action]!.replay ? undefined : track.intent,
      permit: track.permit,
      gatesAt: track.gatesAt,
      watch: alone ? this.#watch(() => LIMIT) : undefined,
      attemptOver: this.#record.engine.attemptOver,
      keys: this.#keys,
    };
    return this.#record.step(`effect ${action}`, () => this.#keys.renewing(() => carryOutEffect(this.#shop, order)));
  }

  #watch(timer: () => number): Watch {
    const { attemptOver } = this.#record.engine;
    return {
      timer,
      toldOfHalt: () => this.#shop.machine.halt !== undefined,
      over: () => this.#record.cancelAsked || this.#shop.machine.status === "finished" || attemptOver.aborted,
    };
  }

  /** The machine has said so too: what the effect step has begun is now in flight. */
  dispatched({ action }: Command & { type: "dispatch" }): void {
    const track = this.#tracks[action]!;
    const { effected, intent } = track;
    if (track.nonce !== undefined) registry.forgetEffect(track.nonce);
    track.nonce = intent!.nonce;
    track.timer = LIMIT;
    delete track.intent;
    delete track.permit;
    delete track.effected;
    if (effected!.doubt) this.#doubt(action, intent!.at + intentLifeMs(this.#shop), effected!.at);
    else if (effected!.watched !== undefined) {
      const input = this.#inputOf(action, effected!.watched);
      if (input !== undefined && effected!.promised) this.#record.promised(input);
      else if (input !== undefined) this.#record.urgent(input);
    } else this.#watchOne(action);
  }

  /**
   * Whoever may have begun the attempt may live on, cut off: he gives it up at its limit and grace. Until then it is in
   * flight (S4.3); then what is known is that nobody knows.
   */
  #doubt(action: number, begunBefore: number, foundAt: number): void {
    const { machine } = this.#shop;
    const { attemptTimeoutMs, abortGraceMs, maxTotalTimeMs } = machine.policy.timeout;
    const goneAt = Math.min(begunBefore + attemptTimeoutMs, maxTotalTimeMs) + abortGraceMs;
    const { timerAt = goneAt } = machine.actions[action]!;
    const gone = () => {
      const settlement = { kind: "threw", errorType: EFFECT_IN_DOUBT } as const;
      const attempt = machine.actions[action]!.attempts.length - 1;
      this.#record.news({ type: "settled", action, attempt, settlement }, Math.min(timerAt, goneAt));
    };
    if (goneAt <= foundAt) return gone();
    const goneIn = this.#record.engine.timer(`in doubt ${action}`, Math.ceil(goneAt - foundAt));
    this.#record.wait(nameOf(action), goneIn, gone);
  }

  /** What the machine is told of a watch's end; nothing where it hears of it otherwise. */
  #inputOf(action: number, watched: Watched): Input | undefined {
    const { attempts, unsettled } = this.#shop.machine.actions[action]!;
    const track = this.#tracks[action]!;
    const { at } = watched;
    const attempt = attempts.length - 1;
    switch (watched.type) {
      case "settled":
        if (watched.value !== undefined) track.held = watched.value;
        return { type: "settled", action, attempt, settlement: watched.settlement, at };
      case "halt":
        return { type: "halt", cause: "kill_switch", at };
      case "limit":
        return unsettled ? undefined : { type: "timer", action, at };
      case "lost":
        this.#doubt(action, attempts[attempt]!.startedAt, at);
        return undefined;
      default: // A cancel is fed by itself.
        return undefined;
    }
  }

  abort({ action, cause }: Command & { type: "abort" }): void {
    registry.effect(this.#tracks[action]!.nonce)?.abort(cause);
  }

  /** True where the timer is the executor's, and so kept by whoever watches him. */
  setTimer(action: number, at: number): boolean {
    if (action < 0 || !AT_THE_EXECUTOR.has(this.#shop.machine.actions[action]!.phase)) return false;
    const track = this.#tracks[action]!;
    track.timer++;
    registry.effect(track.nonce)?.setTimer(track.timer, at);
    return true;
  }

  /** Every attempt that is in flight, or has not settled, is watched by one step. */
  watchAll(): void {
    for (const { index, phase, unsettled } of this.#shop.machine.actions) {
      if ((unsettled || AT_THE_EXECUTOR.has(phase)) && !this.#record.waits(nameOf(index))) this.#watchOne(index);
    }
  }

  #watchOne(action: number): void {
    const track = this.#tracks[action]!;
    const { nonce } = track;
    const state = this.#shop.machine.actions[action]!;
    // An attempt that was given up has no timer any more.
    const watch = this.#watch(() => (state.unsettled ? Number.POSITIVE_INFINITY : track.timer));
    const pending = this.#record.engine.step(`watch ${action}`, () =>
      this.#keys.renewing(() => watchEffect(this.#shop, nonce, watch)),
    );
    this.#record.wait(nameOf(action), pending, (watched) => {
      const input = this.#inputOf(action, watched);
      if (input !== undefined) this.#record.news(input, input.at);
    });
  }

  /** Those who watch look again: a cancel has come, or the end. */
  poke(): void {
    for (const { nonce, intent } of this.#tracks) {
      registry.effect(nonce)?.look();
      registry.effect(intent?.nonce)?.look();
    }
  }
}

function nameOf(action: number): string {
  return `executor ${action}`;
}
