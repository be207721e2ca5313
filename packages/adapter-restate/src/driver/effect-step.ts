import type { AttemptContext } from "@eoc/core";
import { type Command, restore, snapshot, step } from "@eoc/core/machine";
import { attempt, canSubscribe } from "../live/limited.js";
import { LiveAttempt } from "../live/live-attempt.js";
import { LiveEffect, type Watch, type Watched } from "../live/live-effect.js";
import { registry } from "../live/registry.js";
import type { KeyDesk } from "./key-desk.js";
import { acquirePermit, askGates, limitMsOf, readSwitch, storable } from "./port-steps.js";
import { intentLifeMs, type Shop } from "./shop.js";

/** A dispatch that is intended: on record, and known by its nonce to the process that intends it. */
export interface Intent {
  readonly nonce: string;
  readonly at: number;
}

/** Makes an intent that this process knows. */
export function makeIntent(shop: Shop, action: number): Intent {
  const at = shop.now();
  const nonce = globalThis.crypto.randomUUID();
  const { executionId } = shop.machine.facts;
  const effect = new LiveEffect(shop.clock, () => shop.now(), {
    action,
    executionId,
    besides: () => registry.effectsOf(executionId),
  });
  registry.keepEffect(nonce, effect, shop.lastsUntilMs, shop.clock.now());
  return { nonce, at };
}

export interface EffectOrder {
  readonly action: number;
  readonly limitAt: number;
  /** Absent where a completed record was found: nothing is to be dispatched. */
  readonly intent: Intent | undefined;
  readonly permit: string | undefined;
  /** When the gates were asked, where there are any. */
  readonly gatesAt: number | undefined;
  /** The attempt is watched in the same step: nothing else can go on in the meantime. */
  readonly watch: Watch | undefined;
  readonly attemptOver: AbortSignal;
  readonly keys: Pick<KeyDesk, "confirmHeld" | "isHeld">;
}

/** What the effect step leaves on record. "Open" is never there without a dispatch that has begun or is in doubt. */
export interface Effected {
  readonly at: number;
  readonly wallMs?: number;
  readonly verdict: "open" | "halted" | "unavailable";
  /** Nothing was begun: a new intent is needed, after so many milliseconds. */
  readonly again?: number;
  /** This process does not know whether the dispatch was begun. */
  readonly doubt?: true;
  /** The claim of the key does not hold any more: nothing was begun. */
  readonly lost?: true;
  readonly watched?: Watched;
  /** That was waited for: the executor has not answered within its call. */
  readonly promised?: true;
}

/**
 * The step that every dispatch goes through: the gates are read live, the kill switch last, and with no wait in between
 * the executor is called, if this process knows the intent and has not called it yet. Run again by the engine, it
 * either finds the call and joins it, or does not know, and says so instead of dispatching.
 */
export async function carryOutEffect(shop: Shop, order: EffectOrder): Promise<Effected> {
  const { intent } = order;
  const effect = registry.effect(intent?.nonce);
  if (intent !== undefined && effect === undefined) return { at: shop.now(), verdict: "open", doubt: true };
  if (effect?.state === "begun") return begun(shop, order, effect);
  if (effect?.state === "void") return lapse(shop, effect, 0);
  const over = shop.now() >= shop.machine.policy.timeout.maxTotalTimeMs;
  const again = effect === undefined || over ? undefined : await askAgain(shop, order);
  if (again !== undefined) return lapse(shop, effect!, again);
  if (effect !== undefined) await order.keys.confirmHeld(order.action);
  // A replay has nothing in flight to be stopped; but of a switch that is broken it is held to the same (S2.3).
  const subscribed = effect?.listen(shop.ports.killSwitch) ?? canSubscribe(shop.ports.killSwitch);
  const read = await readSwitch(shop, limitMsOf(shop, order));
  const verdict = !subscribed ? "unavailable" : effect?.halted ? "halted" : read;
  const at = shop.now();
  const wallMs = shop.clock.now();
  // The switch may have been long about it.
  const lost = effect !== undefined && !order.keys.isHeld(order.action);
  const dispatch = verdict === "open" && !lost ? wouldDispatch(shop, order.action, at, wallMs) : undefined;
  if (effect === undefined || dispatch === undefined) {
    if (effect?.state === "intended") effect.stopListening();
    return { at, wallMs, verdict, ...(lost && { lost }) };
  }
  // Meanwhile another attempt of the handler may have begun it, here.
  if (state(effect) === "begun") return begun(shop, order, effect);
  // Nobody hears what this attempt of the handler does; the next one may begin it.
  if (order.attemptOver.aborted) {
    effect.stopListening();
    return { at, verdict: "open", again: 0 };
  }
  if (at > order.intent!.at + intentLifeMs(shop)) return lapse(shop, effect, 0);
  begin(shop, order, effect, dispatch, at);
  return begun(shop, order, effect, wallMs);
}

function state(effect: LiveEffect): LiveEffect["state"] {
  return effect.state;
}

async function begun(shop: Shop, order: EffectOrder, effect: LiveEffect, wallMs?: number): Promise<Effected> {
  const promised = effect.outcome === undefined;
  const watched = await firstLook(shop, order.watch, effect);
  return {
    at: effect.begunAt,
    ...(wallMs === undefined ? undefined : { wallMs }),
    verdict: "open",
    ...(watched && { watched }),
    ...(watched && promised && { promised }),
  };
}

/** An executor that has answered at once is heard before anything else is begun, as in one process. */
async function firstLook(shop: Shop, watch: Watch | undefined, effect: LiveEffect): Promise<Watched | undefined> {
  if (watch !== undefined) return withValue(shop, effect, await effect.watch(watch));
  if (effect.outcome === undefined) return undefined;
  return withValue(shop, effect, { type: "settled", at: effect.outcome.at, settlement: effect.outcome.settlement });
}

/** Adds the executor's value where values are kept. */
function withValue(shop: Shop, effect: LiveEffect, watched: Watched): Watched {
  if (watched.type !== "settled" || watched.settlement.kind !== "applied") return watched;
  const value = storable(shop, effect.outcome?.value);
  return value === undefined ? watched : { ...watched, value };
}

function lapse(shop: Shop, effect: LiveEffect, again: number): Effected {
  effect.makeVoid();
  effect.stopListening();
  return { at: shop.now(), verdict: "open", again };
}

/** What the machine says to an open switch: the dispatch, unless deadline or approval have passed. */
function wouldDispatch(
  { machine }: Shop,
  action: number,
  at: number,
  wallMs: number,
): (Command & { type: "dispatch" }) | undefined {
  const copy = restore(snapshot(machine));
  const commands = step(copy, { type: "switch", action, verdict: "open", at: Math.max(copy.at, at), wallMs });
  return commands.find((command) => command.type === "dispatch");
}

/**
 * What was answered before the intent may have been answered to another process, or long ago: that is asked again. Gives
 * how long to wait where the answer is no.
 */
async function askAgain(shop: Shop, order: EffectOrder): Promise<number | undefined> {
  const { action, gatesAt } = order;
  const { machine } = shop;
  const limitAt = machine.at + machine.policy.timeout.portTimeoutMs;
  if (gatesAt !== undefined && shop.now() > gatesAt + intentLifeMs(shop)) {
    const { verdict } = (await askGates(shop, { action, attempt: machine.actions[action]!.attempts.length, limitAt }))
      .news;
    if (verdict.state === "denied") return Math.max(1, verdict.retryAfterMs ?? REFUSED_MS);
    if (verdict.state === "unavailable") return REFUSED_MS;
  }
  if (order.permit !== undefined && !registry.hasPermit(order.permit)) {
    const { news, permit } = await acquirePermit(shop, { action, limitAt });
    if (permit !== undefined) registry.renamePermit(permit, order.permit);
    else return news.verdict.state === "refused" ? Math.max(1, news.verdict.retryAfterMs) : REFUSED_MS;
  }
  return undefined;
}

/** The machine has gone past the question: a refusal is asked again, after the pauses of the rounds, until the deadline. */
const REFUSED_MS = 1;

function begin(
  shop: Shop,
  order: EffectOrder,
  effect: LiveEffect,
  { action, attempt: number, limitAt }: Command & { type: "dispatch" },
  at: number,
): void {
  const { machine, clock } = shop;
  const permit = registry.takePermit(order.permit);
  if (permit?.dispatched !== undefined) attempt(() => permit.dispatched!(clock.monotonic()));
  const given: Omit<AttemptContext, "signal"> = {
    attempt: number,
    actionIndex: action,
    executionId: machine.facts.executionId,
    idempotencyKey: machine.actions[action]!.key,
    deadlineMs: clock.monotonic() + limitAt - at,
    context: shop.context,
  };
  effect.begin(
    {
      execute: shop.execute,
      action: machine.plan.actions[action]!,
      handed: new LiveAttempt(given),
      limitAt,
      limitCause: limitAt >= machine.policy.timeout.maxTotalTimeMs ? "deadline" : "attempt_timeout",
      abortsOnHalt: machine.policy.onHalt === "abort",
    },
    at,
  );
}

/** Watches an attempt that was begun earlier. */
export async function watchEffect(shop: Shop, nonce: string | undefined, watch: Watch): Promise<Watched> {
  const effect = registry.effect(nonce);
  if (effect === undefined || effect.state !== "begun") return { type: "lost", at: shop.now() };
  return withValue(shop, effect, await effect.watch(watch));
}
