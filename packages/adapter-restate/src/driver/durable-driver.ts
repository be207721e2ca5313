import type { ExecutionReport } from "@eoc/core";
import { type Command, type Input, type Phase, reportOf, step } from "@eoc/core/machine";
import { CANCELLED, type Engine, type Pending } from "../engine.js";
import { attempt } from "../live/limited.js";
import type { Watch, Watched } from "../live/live-effect.js";
import { registry } from "../live/registry.js";
import { carryOutEffect, type Effected, type Intent, makeIntent, watchEffect } from "./effect-step.js";
import { listenForHalt, type Vigil } from "./halt-vigil.js";
import { append, type Chore, type Delivery, deliver, show } from "./outbox.js";
import {
  acquirePermit,
  askGates,
  claimKey,
  derivedKey,
  limitMsOf,
  type News,
  type PortResult,
  readSwitch,
  reconcile,
  recordKey,
  startKey,
  takeRetry,
} from "./port-steps.js";
import { intentLifeMs, type Shop } from "./shop.js";

/** `errorType` of an attempt of which it is not known whether it was begun: the process that may have is gone. */
export const EFFECT_IN_DOUBT = "EffectInDoubt";

/** What the driver holds of one action beside the machine. Everything but `poke` comes from the record. */
interface Track {
  intent?: Intent;
  permit?: string;
  gatesAt?: number;
  token?: string | number;
  /** What the effect step said of the dispatch that the machine is about to command. */
  effected?: Effected;
  /** Its nonce, once it is dispatched. */
  nonce?: string;
  /** How far the executor is waited for. */
  until: number;
  held?: { readonly json: unknown };
  /** Its time has passed unsettled: nobody waits for the executor any more. */
  givenUp?: true;
}

/** Something that is waited for, beside others. */
interface Open {
  readonly pending: Pending<unknown>;
  readonly arrived: (value: never) => void | Promise<void>;
}

/**
 * Carries the machine's commands out over a durable engine. Whatever asks the outside is one step on the engine's record,
 * and one is taken at a time; only executors, timers and reconcile are waited for side by side, in the order of the
 * record. So a replay feeds the machine the same inputs, and the machine says the same.
 */
export class DurableDriver {
  readonly #engine: Engine;
  readonly #shop: Shop;
  readonly #tracks: Track[];
  #chores: Chore[] = [];
  /** To be fed, those that belong to a dispatch first. */
  #inbox: Input[] = [];
  #arrived: Input[] = [];
  #urgent: Input[] = [];
  readonly #open = new Map<string, Open>();
  /** Timers that the machine has set, by action. */
  readonly #due = new Map<number, { readonly at: number; readonly since: number }>();
  /** For how long the claims have been renewed. */
  #renewedUntil = 0;
  #cancelled: "no" | "asked" | "fed" = "no";
  #lost = false;
  #finished = false;
  readonly #over = new AbortController();

  constructor(engine: Engine, shop: Shop) {
    this.#engine = engine;
    this.#shop = shop;
    this.#tracks = shop.machine.actions.map(() => ({ until: 0 }));
  }

  async run(): Promise<ExecutionReport> {
    await this.#feed({ type: "start", at: 0 });
    while (!this.#finished) {
      const input = this.#next();
      if (input === undefined) await this.#wait();
      else await this.#feed(input);
    }
    this.#over.abort();
    this.#leave();
    const report = reportOf(this.#shop.machine, (action) => {
      const { held } = this.#tracks[action]!;
      return held && { value: held.json };
    });
    if (this.#lost) report.recordError = "journal_unavailable";
    return report;
  }

  /** What a dispatch has led to, then a cancel, then what else has come; the latest first, as in one process. */
  #next(): Input | undefined {
    const urgent = this.#urgent.shift();
    if (urgent !== undefined) return urgent;
    if (this.#cancelled === "asked") {
      this.#cancelled = "fed";
      return { type: "halt", cause: "cancelled", at: this.#shop.machine.at };
    }
    this.#inbox = [...this.#arrived, ...this.#inbox];
    this.#arrived = [];
    return this.#inbox.shift();
  }

  async #feed(input: Input): Promise<void> {
    const { machine } = this.#shop;
    // Clocks of two processes differ, and steps are taken in the order of the record, not of their times.
    input.at = Math.max(machine.at, input.at);
    for (const command of step(machine, input)) await this.#carryOut(command);
  }

  #news(news: News, at: number): void {
    this.#arrived.push({ ...news, at } as Input);
  }

  async #carryOut(command: Command): Promise<void> {
    const { machine } = this.#shop;
    switch (command.type) {
      case "emit":
        this.#chores.push({ type: "event", event: command.event });
        return;
      case "refill_retries":
        this.#chores.push({ type: "refill" });
        return;
      case "yield":
        return this.#news({ type: "resume" }, machine.at);
      case "set_timer":
        return this.#setTimer(command.action, command.at);
      case "clear_timer":
        return this.#clearTimer(command.action);
      case "abort":
        return registry.effect(this.#tracks[command.action]!.nonce)?.abort(command.cause);
      case "dispatch":
        return this.#dispatched(command);
      case "derive_key":
        return this.#deriveKey(command.action);
      case "claim_key":
        return this.#claim(command);
      case "ask_gates":
        return this.#gates(command);
      case "acquire_permit":
        return this.#permit(command);
      case "cancel_permit": {
        const permit = registry.takePermit(this.#tracks[command.action]!.permit);
        return attempt(() => permit?.cancel?.());
      }
      case "intend":
        return this.#intend(command);
      case "start_key":
        await this.#port(command, () => startKey(this.#shop, command, this.#tracks[command.action]!.token!));
        return;
      case "read_switch":
        return this.#effect(command);
      case "reconcile":
        return this.#reconcile(command);
      case "take_retry":
        await this.#port(command, () => takeRetry(this.#shop, command.action));
        return;
      case "record_key":
        return this.#recordKey(command);
      case "finish":
        return this.#finish();
      default:
        // A bulkhead, which no execution here has.
        return;
    }
  }

  /** One step on the record, taken alone. What has no answer is handed on at its beginning. */
  async #step<T extends object>(name: string, work: () => Promise<T>): Promise<T> {
    const chores = this.#chores;
    this.#chores = [];
    const { portTimeoutMs } = this.#shop.machine.policy.timeout;
    const pending = this.#engine.step<T & Delivery>(name, async () => {
      const delivery = await deliver(this.#shop, chores, portTimeoutMs);
      return { ...(await work()), ...delivery };
    });
    const result = await this.#alone(pending);
    if (result.lost) this.#lost = true;
    if (result.listenerFailed !== undefined) {
      const { listenerFailed: errorType } = result;
      this.#news({ type: "listener_failed", errorType }, this.#shop.machine.at);
    }
    return result;
  }

  async #alone<T>(pending: Pending<T>): Promise<T> {
    for (;;) {
      const first = await this.#engine.first([pending]);
      if (first !== CANCELLED) return first.value as T;
      this.cancel();
    }
  }

  /** An operator has cancelled the invocation: heard of like a caller's signal (S4.8). */
  cancel(): void {
    if (this.#cancelled === "no") this.#cancelled = "asked";
    for (const { nonce, intent } of this.#tracks) {
      registry.effect(nonce)?.look();
      registry.effect(intent?.nonce)?.look();
    }
  }

  async #port(command: Command & { action: number }, work: () => Promise<PortResult>): Promise<PortResult> {
    const result = await this.#step(`${command.type} ${command.action}`, work);
    this.#news(result.news, result.at);
    return result;
  }

  async #deriveKey(action: number): Promise<void> {
    const { machine } = this.#shop;
    const own = typeof machine.policy.idempotency.keyGenerator === "function";
    const derive = async () => ({ at: this.#shop.now(), news: derivedKey(this.#shop, action) });
    if (own) await this.#port({ type: "derive_key", action }, derive);
    else this.#news(derivedKey(this.#shop, action), machine.at);
  }

  async #claim(command: Command & { type: "claim_key" }): Promise<void> {
    const { news, held } = await this.#port(command, () => claimKey(this.#shop, command));
    const track = this.#tracks[command.action]!;
    if (news.type === "claim" && news.verdict.state === "claimed") track.token = news.verdict.token;
    if (held !== undefined) track.held = held;
  }

  async #gates(command: Command & { type: "ask_gates" }): Promise<void> {
    const { at } = await this.#port(command, () => askGates(this.#shop, command));
    this.#tracks[command.action]!.gatesAt = at;
  }

  async #permit(command: Command & { type: "acquire_permit" }): Promise<void> {
    const { permit } = await this.#port(command, () => acquirePermit(this.#shop, command));
    if (permit !== undefined) this.#tracks[command.action]!.permit = permit;
  }

  /** The event is durable, and the nonce known to this process, before the dispatch (S8.2). */
  async #intend({ action, event, limitAt }: Command & { type: "intend" }): Promise<void> {
    const result = await this.#step(`intend ${action}`, async () => {
      const listenerFailed = show(this.#shop.ports, event);
      const ok = await append(this.#shop, event, limitMsOf(this.#shop, { limitAt }));
      return { ok, intent: makeIntent(this.#shop), ...(listenerFailed === undefined ? undefined : { listenerFailed }) };
    });
    this.#intended(action, result.intent);
    this.#news({ type: "intent", action, ok: result.ok }, result.intent.at);
  }

  async #effect(command: Command & { type: "read_switch" }): Promise<void> {
    const { action } = command;
    const track = this.#tracks[action]!;
    const { machine } = this.#shop;
    const replay = machine.actions[action]!.replay;
    const deadline = machine.policy.timeout.maxTotalTimeMs;
    const { portTimeoutMs, attemptTimeoutMs } = machine.policy.timeout;
    let limitAt = command.limitAt;
    for (;;) {
      const alone = this.#nothingElseCanHappen();
      const watchUntil = () => Math.min(attemptStart(track) + attemptTimeoutMs, deadline);
      const effected = await this.#step(`effect ${action}`, () =>
        this.#renewing(() =>
          carryOutEffect(this.#shop, {
            action,
            limitAt,
            intent: replay ? undefined : track.intent,
            permit: track.permit,
            gatesAt: track.gatesAt,
            watch: alone ? this.#watch(watchUntil, () => false) : undefined,
            attemptOver: this.#engine.attemptOver,
          }),
        ),
      );
      if (effected.again === undefined) {
        const at = effected.doubt ? track.intent!.at : effected.at;
        track.effected = effected;
        if (effected.watched?.type === "settled") this.#keepValue(track, effected.watched);
        const wall = effected.wallMs === undefined ? undefined : { wallMs: effected.wallMs };
        this.#urgent.push({ type: "switch", action, verdict: effected.verdict, at, ...wall });
        return;
      }
      const pause = Math.min(effected.again, Math.max(0, deadline - effected.at));
      if (pause > 0) await this.#alone(this.#engine.timer(`again ${action}`, pause));
      const next = await this.#step(`intend again ${action}`, async () => makeIntent(this.#shop));
      this.#intended(action, next);
      limitAt = machine.at + portTimeoutMs;
    }
  }

  /** While the executor runs, that is: then one step is enough for the dispatch and what comes of it. */
  #nothingElseCanHappen(): boolean {
    const others = [...this.#open.keys()].filter((name) => name !== "vigil");
    return this.#shop.machine.policy.maxConcurrency === 1 && this.#due.size === 0 && others.length === 0;
  }

  #intended(action: number, intent: Intent): void {
    const track = this.#tracks[action]!;
    if (track.intent !== undefined) registry.forgetEffect(track.intent.nonce);
    track.intent = intent;
  }

  /** The machine has said so too: what the effect step has begun is now in flight. */
  #dispatched({ action, limitAt }: Command & { type: "dispatch" }): void {
    const track = this.#tracks[action]!;
    const { effected, intent } = track;
    if (track.nonce !== undefined) registry.forgetEffect(track.nonce);
    track.nonce = intent!.nonce;
    track.until = limitAt;
    delete track.intent;
    delete track.permit;
    delete track.effected;
    if (effected!.doubt) this.#doubt(action, intent!.at + intentLifeMs(this.#shop), effected!.at);
    else if (effected!.watched !== undefined) this.#watched(action, effected!.watched, this.#urgent);
  }

  /**
   * Whoever may have begun the attempt may live on, cut off: he gives it up at its limit and grace. Until then it is in
   * flight (S4.3); then what is known is that nobody knows.
   */
  #doubt(action: number, begunBefore: number, foundAt: number): void {
    const { machine } = this.#shop;
    const { attemptTimeoutMs, abortGraceMs, maxTotalTimeMs } = machine.policy.timeout;
    const goneAt = Math.min(begunBefore + attemptTimeoutMs, maxTotalTimeMs) + abortGraceMs;
    const limitAt = this.#tracks[action]!.until;
    const arrived = () => {
      const settlement = { kind: "threw", errorType: EFFECT_IN_DOUBT } as const;
      const attemptNumber = machine.actions[action]!.attempts.length - 1;
      this.#news({ type: "settled", action, attempt: attemptNumber, settlement }, Math.min(limitAt, goneAt));
    };
    if (goneAt <= foundAt) return arrived();
    this.#open.set(`executor ${action}`, {
      pending: this.#engine.timer(`in doubt ${action}`, goneAt - foundAt),
      arrived,
    });
  }

  #watch(until: () => number, toldOfLimit: () => boolean): Watch {
    return {
      until,
      toldOfLimit,
      toldOfHalt: () => this.#shop.machine.halt !== undefined,
      cancelled: () => this.#cancelled === "asked",
    };
  }

  #keepValue(track: Track, watched: Watched & { type: "settled" }): void {
    if (watched.value !== undefined) track.held = watched.value;
  }

  #watched(action: number, watched: Watched, into: Input[]): void {
    const { machine } = this.#shop;
    const { at } = watched;
    const { attempts, unsettled } = machine.actions[action]!;
    const number = attempts.length - 1;
    switch (watched.type) {
      case "settled":
        this.#keepValue(this.#tracks[action]!, watched);
        into.push({ type: "settled", action, attempt: number, settlement: watched.settlement, at });
        return;
      case "halt":
        into.push({ type: "halt", cause: "kill_switch", at });
        return;
      case "limit":
        if (unsettled) this.#tracks[action]!.givenUp = true;
        else into.push({ type: "timer", action, at });
        return;
      case "lost": {
        const { startedAt } = attempts[number]!;
        return this.#doubt(action, startedAt, at);
      }
      default: // A cancel, which is fed by itself.
    }
  }

  async #reconcile(command: Command & { type: "reconcile" }): Promise<void> {
    await this.#flush();
    this.#open.set(`reconcile ${command.action}`, {
      pending: this.#engine.step(`reconcile ${command.action}`, () => reconcile(this.#shop, command)),
      arrived: ({ news, at, held }: PortResult) => {
        if (held !== undefined) this.#tracks[command.action]!.held = held;
        this.#news(news, at);
      },
    });
  }

  async #recordKey(command: Command & { type: "record_key" }): Promise<void> {
    const track = this.#tracks[command.action]!;
    await this.#port(command, () => {
      const outcome = registry.effect(track.nonce)?.outcome;
      const known = outcome?.settlement.kind === "applied" ? { known: outcome.value } : undefined;
      return recordKey(this.#shop, command, track.token!, known ?? (track.held && { known: track.held.json }));
    });
  }

  #setTimer(action: number, at: number): void {
    if (action >= 0 && AT_THE_EXECUTOR.has(this.#shop.machine.actions[action]!.phase)) {
      const track = this.#tracks[action]!;
      track.until = at;
      registry.effect(track.nonce)?.look();
      return;
    }
    this.#due.set(action, { at, since: this.#shop.machine.at });
    this.#open.delete(`timer ${action}`);
  }

  #clearTimer(action: number): void {
    this.#due.delete(action);
    this.#open.delete(`timer ${action}`);
  }

  /** Nothing is left to be fed: waits for whatever comes first. */
  async #wait(): Promise<void> {
    this.#watchExecutors();
    if (this.#due.size > 0) await this.#prepareToRest();
    if (this.#inbox.length + this.#arrived.length > 0 || this.#cancelled === "asked") return;
    const open = [...this.#open.entries()];
    if (open.length === 0) {
      // Nobody is left to answer: an input that fits nowhere ends the execution, fail-closed.
      await this.#feed({ type: "start", at: this.#shop.machine.at });
      return;
    }
    const first = await this.#engine.first(open.map(([, { pending }]) => pending));
    if (first === CANCELLED) return this.cancel();
    const [name, { arrived }] = open[first.index]!;
    this.#open.delete(name);
    await arrived(first.value as never);
  }

  /** Every attempt that is in flight, or has not settled, is watched by one step. */
  #watchExecutors(): void {
    const { machine } = this.#shop;
    const deadline = machine.policy.timeout.maxTotalTimeMs;
    for (const { index, phase, unsettled } of machine.actions) {
      const name = `executor ${index}`;
      if (this.#open.has(name)) continue;
      const late = unsettled && !this.#tracks[index]!.givenUp;
      if (!late && !AT_THE_EXECUTOR.has(phase)) continue;
      const track = this.#tracks[index]!;
      const { attempts } = machine.actions[index]!;
      const watch = this.#watch(
        () => (unsettled ? deadline : track.until),
        () => attempts[attempts.length - 1]!.abortedFor !== undefined,
      );
      const { nonce } = track;
      this.#open.set(name, {
        pending: this.#engine.step(`watch ${index}`, () => this.#renewing(() => watchEffect(this.#shop, nonce, watch))),
        arrived: (watched: Watched) => this.#watched(index, watched, this.#arrived),
      });
    }
  }

  /** Before a wait that may outlast this process: events are handed on, claims renewed, timers given to the engine. */
  async #prepareToRest(): Promise<void> {
    const { machine } = this.#shop;
    const { leaseMs } = machine.policy.idempotency;
    const last = this.#lastDue();
    const claims = machine.actions.filter(({ claimed, row }) => claimed && row === undefined);
    if (claims.length > 0 && last > this.#renewedUntil) {
      this.#renewedUntil = last;
      await this.#step("rest", async () => {
        this.#renew(last - this.#shop.now() + leaseMs);
        return {};
      });
    } else await this.#flush();
    for (const [action, { at }] of this.#due) {
      const name = `timer ${action}`;
      if (!this.#open.has(name)) this.#open.set(name, this.#timer(action, at));
    }
    if (this.#shop.ports.killSwitch?.subscribe !== undefined && machine.halt === undefined) this.#keepVigil(machine.at);
  }

  #timer(action: number, at: number): Open {
    return {
      pending: this.#engine.timer(`timer ${action}`, Math.max(0, at - this.#shop.machine.at)),
      arrived: async () => {
        const woken = await this.#step("wake", async () => ({ at: this.#shop.now() }));
        // The machine may have changed its mind while it was being asked what time it is.
        if (this.#due.get(action)?.at !== at) return;
        this.#due.delete(action);
        this.#news({ type: "timer", action }, Math.max(at, woken.at));
      },
    };
  }

  #lastDue(): number {
    return Math.max(...[...this.#due.values()].map(({ at }) => at));
  }

  /** Listens for a halt for a while; a longer wait is broken by looks, between which the process may rest. */
  #keepVigil(now: number): void {
    if (this.#due.size === 0 || this.#open.has("vigil")) return;
    const { haltWatchMs } = this.#shop;
    const until = Math.max(...[...this.#due.values()].map(({ at, since }) => Math.min(at, since + haltWatchMs)));
    if (until > now) {
      const over = [this.#over.signal, this.#engine.attemptOver];
      this.#open.set("vigil", {
        pending: this.#engine.step("listen for a halt", () => listenForHalt(this.#shop, until - now, over)),
        arrived: (vigil: Vigil) => this.#vigilOver(vigil),
      });
    } else {
      this.#open.set("vigil", {
        pending: this.#engine.timer("rest", Math.max(1, Math.min(haltWatchMs, this.#lastDue() - now))),
        arrived: async () => this.#vigilOver(await this.#step("look for a halt", () => this.#look())),
      });
    }
  }

  async #look(): Promise<Vigil> {
    const verdict = await readSwitch(this.#shop, this.#shop.machine.policy.timeout.portTimeoutMs);
    return { halted: verdict === "halted", at: this.#shop.now() };
  }

  #vigilOver({ halted, at }: Vigil): void {
    if (halted) this.#news({ type: "halt", cause: "kill_switch" }, at);
    else this.#keepVigil(at);
  }

  /** Keeps the leases alive while an executor is waited for (S7.3). */
  async #renewing<T>(work: () => Promise<T>): Promise<T> {
    const { machine, clock } = this.#shop;
    const { leaseMs, enabled } = machine.policy.idempotency;
    if (!enabled) return work();
    let cancel: () => void;
    const later = () => {
      cancel = clock.setTimer(() => {
        this.#renew(leaseMs);
        later();
      }, leaseMs / 3);
    };
    later();
    try {
      return await work();
    } finally {
      cancel!();
    }
  }

  /** A lease that could not be renewed shows when the outcome is written: its token is stale by then. */
  #renew(leaseMs: number): void {
    const { machine, ports } = this.#shop;
    for (const { index, claimed, row, key } of machine.actions) {
      const { token } = this.#tracks[index]!;
      if (!claimed || row !== undefined || token === undefined) continue;
      attempt(() => ports.idempotencyStore!.renew(key!, token, leaseMs));
    }
  }

  async #flush(): Promise<void> {
    const { ports } = this.#shop;
    const wanted = ports.journal !== undefined || ports.onEvent !== undefined;
    if (this.#chores.some(({ type }) => type === "refill" || wanted)) await this.#step("record", async () => ({}));
    else this.#chores = [];
  }

  async #finish(): Promise<void> {
    await this.#flush();
    this.#finished = true;
  }

  /** What this process has begun and nobody needs to know of any more, and what is still to be heard of. */
  #leave(): void {
    for (const [index, { nonce, intent, permit }] of this.#tracks.entries()) {
      if (intent !== undefined) registry.forgetEffect(intent.nonce);
      const unused = registry.takePermit(permit);
      attempt(() => unused?.cancel?.());
      if (nonce === undefined) continue;
      const effect = registry.effect(nonce);
      registry.forgetEffect(nonce);
      if (this.#shop.machine.actions[index]!.unsettled && effect !== undefined) void this.#hearLate(index, effect);
    }
  }

  /** A settlement after the report changes no report, but the key's record and the journal (S4.5). Not on the engine's. */
  async #hearLate(action: number, effect: NonNullable<ReturnType<typeof registry.effect>>): Promise<void> {
    const shop = this.#shop;
    const never = {
      until: () => Number.POSITIVE_INFINITY,
      toldOfHalt: () => true,
      toldOfLimit: () => true,
      cancelled: () => false,
    };
    const watched = await effect.watch(never);
    if (watched.type !== "settled") return;
    const attemptNumber = shop.machine.actions[action]!.attempts.length - 1;
    const at = Math.max(shop.machine.at, watched.at);
    const inputs: Input[] = [{ type: "settled", action, attempt: attemptNumber, settlement: watched.settlement, at }];
    for (let input = inputs.shift(); input !== undefined; input = inputs.shift()) {
      for (const command of step(shop.machine, input)) {
        if (command.type === "emit") {
          await deliver(shop, [{ type: "event", event: command.event }], shop.machine.policy.timeout.portTimeoutMs);
        } else if (command.type === "record_key") {
          const { outcome } = effect;
          const { news, at } = await recordKey(shop, command, this.#tracks[action]!.token!, { known: outcome?.value });
          inputs.push({ ...news, at: Math.max(shop.machine.at, at) } as Input);
        }
      }
    }
  }
}

/** The phases in which the machine's timer is the executor's limit, grace or last chance: kept by the watching step. */
const AT_THE_EXECUTOR: ReadonlySet<Phase> = new Set(["in_flight", "grace", "settlement"]);

function attemptStart({ nonce, intent }: Track): number {
  return registry.effect(intent?.nonce ?? nonce)?.begunAt ?? 0;
}
