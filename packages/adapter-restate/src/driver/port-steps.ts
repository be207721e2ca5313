import { deriveKey, fingerprintOf } from "@eoc/core";
import type { Command, GateAnswer, Input } from "@eoc/core/machine";
import { errorTypeOf, rateRequests, safeCode } from "@eoc/core/machine";
import { checkJson } from "@eoc/decision-schema/read";
import { type Answer, attempt, limited, member } from "../live/limited.js";
import { LiveAttempt } from "../live/live-attempt.js";
import { registry } from "../live/registry.js";
import type { Shop } from "./shop.js";

type Unstamped<T> = T extends unknown ? Omit<T, "at" | "wallMs"> : never;
/** What came of a command, to be fed once it is on record. */
export type News = Unstamped<Input>;

/** A step's result: what is fed, when it happened, and what the driver keeps of it beside the machine. */
export interface PortResult {
  readonly at: number;
  readonly news: News;
  /** A value that may be on record (S9.2). */
  readonly held?: { readonly json: unknown };
  readonly permit?: string;
}

type Limited = { limitAt: number };

function ask<T>(shop: Shop, command: Limited, call: () => T | Promise<T>, tooLate?: (value: T) => void) {
  return limited<T>(shop.clock, limitMsOf(shop, command), call, tooLate);
}

/**
 * The time that the machine gives a port, counted from now: the step may be taken long after it was commanded, by a
 * process that has just come up. Not beyond the deadline where the machine's is not.
 */
export function limitMsOf(shop: Shop, { limitAt }: Limited): number {
  const { machine } = shop;
  const deadline = machine.policy.timeout.maxTotalTimeMs;
  const span = Math.max(0, limitAt - machine.at);
  return limitAt > deadline ? span : Math.min(span, Math.max(0, deadline - shop.now()));
}

/** Makes the key of an action: with the policy's own function, or as everywhere (S7.1). Pure in the second case. */
export function derivedKey({ machine, context }: Shop, action: number): News {
  const planned = machine.plan.actions[action]!;
  const { keyGenerator } = machine.policy.idempotency;
  let key: unknown;
  try {
    key = typeof keyGenerator === "function" ? keyGenerator(planned, context) : deriveKey(planned, context);
  } catch {
    // No key.
  }
  const usable = typeof key === "string" && key !== "" && key.length <= 512;
  return { type: "key_derived", action, ...(usable ? { key: key as string } : undefined) };
}

export async function claimKey(shop: Shop, command: Command & { type: "claim_key" }): Promise<PortResult> {
  const { action, takeOver } = command;
  const store = shop.ports.idempotencyStore;
  const { machine } = shop;
  const key = machine.actions[action]!.key!;
  const request = {
    fingerprint: fingerprintOf(machine.plan.actions[action]!),
    leaseMs: machine.policy.idempotency.leaseMs,
    nowMs: shop.clock.now(),
    ...(takeOver ? { takeOver } : undefined),
  };
  const answer = await ask<unknown>(
    shop,
    command,
    () => store!.claim(key, request),
    (late) => {
      // Claimed after all, for nobody: given back, else it would be in the way until its lease ends.
      if (member(late, "state") !== "claimed") return;
      const token = member(late, "token") as string | number;
      attempt(() => (takeOver ? store!.markUnknown(key, token) : store!.release(key, token)));
    },
  );
  const verdict = claimVerdict(answer);
  const held = verdict.state === "completed" ? heldOf(shop, answer) : undefined;
  return { at: shop.now(), news: { type: "claim", action, verdict }, ...(held && { held }) };
}

function claimVerdict(answer: Answer<unknown>): (News & { type: "claim" })["verdict"] {
  const given = answer.ok ? answer.value : undefined;
  const state = member(given, "state");
  switch (state) {
    case "claimed": {
      const token = member(given, "token");
      return typeof token === "string" || typeof token === "number" ? { state, token } : { state: "unavailable" };
    }
    case "completed":
      return member(given, "valueOmitted") === true ? { state, valueOmitted: true } : { state };
    case "in_progress":
    case "conflict":
    case "unknown":
      return { state };
    default:
      return { state: "unavailable" };
  }
}

/** A claim, and for how long it is to be renewed. */
export interface HeldClaim {
  readonly token: string | number;
  readonly leaseMs: number;
}

export async function startKey(
  shop: Shop,
  command: Command & { type: "start_key" },
  { token, leaseMs }: HeldClaim,
): Promise<PortResult> {
  const { action } = command;
  const key = shop.machine.actions[action]!.key!;
  const store = shop.ports.idempotencyStore!;
  const answer = await ask<unknown>(shop, command, () =>
    store.start === undefined ? store.renew(key, token, leaseMs) : store.start(key, token),
  );
  const verdict = !answer.ok ? "unavailable" : answer.value === false ? "stale" : "done";
  return { at: shop.now(), news: { type: "key_started", action, verdict } };
}

/** Renews a claim and says whether it holds: one that has run out is not brought back. */
export async function confirmKey(
  shop: Shop,
  command: Limited & { action: number },
  claim: HeldClaim,
): Promise<boolean> {
  const { machine, ports } = shop;
  const key = machine.actions[command.action]!.key!;
  const { token, leaseMs } = claim;
  const renewed = await ask<unknown>(shop, command, () => ports.idempotencyStore!.renew(key, token, leaseMs));
  if (!renewed.ok || renewed.value === false) return false;
  const { news } = await startKey(shop, { type: "start_key", ...command }, claim);
  return news.type === "key_started" && news.verdict === "done";
}

/** Writes what becomes of a key. `value` is what the executor gave, where this process knows it. */
export async function recordKey(
  shop: Shop,
  command: Command & { type: "record_key" },
  token: string | number,
  value: { known: unknown } | undefined,
): Promise<PortResult> {
  const { action, outcome } = command;
  const key = shop.machine.actions[action]!.key!;
  const store = shop.ports.idempotencyStore;
  const answer = await ask<unknown>(shop, command, () => {
    if (outcome === "complete") return store!.complete(key, token, keyRecord(shop, value));
    return outcome === "release" ? store!.release(key, token) : store!.markUnknown(key, token);
  });
  return { at: shop.now(), news: { type: "recorded", action, ok: answer.ok && answer.value !== false } };
}

/** What is stored of a success: its value where that is known and survives JSON (S7.5). */
function keyRecord({ machine }: Shop, value: { known: unknown } | undefined) {
  const { ttlMs } = machine.policy.idempotency;
  if (value === undefined) return { ttlMs, valueOmitted: true };
  if (value.known === undefined) return { ttlMs };
  return checkJson(value.known).length > 0 ? { ttlMs, valueOmitted: true } : { ttlMs, value: value.known };
}

/** Asks the gates one after the other, up to the first that does not allow. */
export async function askGates(
  shop: Shop,
  { action, attempt: number, limitAt }: { action: number; attempt: number; limitAt: number },
): Promise<PortResult & { news: { verdict: GateAnswer } }> {
  const info = { executionId: shop.machine.facts.executionId, actionIndex: action, attempt: number };
  const planned = shop.machine.plan.actions[action]!;
  let verdict: GateAnswer = shop.ports.gates === undefined ? { state: "unavailable" } : { state: "allowed" };
  for (const gate of shop.ports.gates ?? []) {
    verdict = gateAnswer(await ask<unknown>(shop, { limitAt }, () => gate(planned, info)));
    if (verdict.state !== "allowed") break;
  }
  return { at: shop.now(), news: { type: "gates", action, verdict } };
}

function gateAnswer(answer: Answer<unknown>): GateAnswer {
  const allow = answer.ok ? member(answer.value, "allow") : undefined;
  if (allow === true) return { state: "allowed" };
  if (allow !== false || !answer.ok) return { state: "unavailable" };
  const code = safeCode(member(answer.value, "code"));
  const retryAfterMs = member(answer.value, "retryAfterMs");
  return isDuration(retryAfterMs) ? { state: "denied", code, retryAfterMs } : { state: "denied", code };
}

/** Asks for the permits of a dispatch, all or none. A granted one stays in this process, under the name that it is given. */
export async function acquirePermit(
  shop: Shop,
  { action, limitAt }: { action: number; limitAt: number },
): Promise<PortResult & { news: { type: "permit" } }> {
  const { machine, clock, ports } = shop;
  const requests = rateRequests(machine.policy, machine.plan.actions[action]!.action);
  const answer = await ask<unknown>(
    shop,
    { limitAt },
    () => ports.rateLimiter!.acquire(requests, clock.monotonic()),
    (late) => attempt(() => (late as { cancel?: () => void } | undefined)?.cancel?.()),
  );
  const granted = answer.ok ? member(answer.value, "granted") : undefined;
  const retryAfterMs = answer.ok ? member(answer.value, "retryAfterMs") : undefined;
  const at = shop.now();
  if (answer.ok && granted === true) {
    const permit = globalThis.crypto.randomUUID();
    const verdict = answer.value as Parameters<typeof registry.keepPermit>[1];
    registry.keepPermit(permit, verdict, shop.lastsUntilMs, clock.now());
    return { at, permit, news: { type: "permit", action, verdict: { state: "granted" } } };
  }
  if (granted === false && isDuration(retryAfterMs)) {
    // JSON has no infinity.
    const wait = Math.min(retryAfterMs, Number.MAX_SAFE_INTEGER);
    return { at, news: { type: "permit", action, verdict: { state: "refused", retryAfterMs: wait } } };
  }
  return { at, news: { type: "permit", action, verdict: { state: "unavailable" } } };
}

/** Asks the outside world what became of an attempt (S3.3). */
export async function reconcile(shop: Shop, command: Command & { type: "reconcile" }): Promise<PortResult> {
  const { action, attempt: number, limitAt } = command;
  const { machine, clock } = shop;
  const handed = new LiveAttempt({
    attempt: number,
    actionIndex: action,
    executionId: machine.facts.executionId,
    idempotencyKey: machine.actions[action]!.key,
    deadlineMs: clock.monotonic() + limitAt - shop.now(),
    context: shop.context,
  });
  const answer = await ask<unknown>(shop, command, () => shop.reconcile!(machine.plan.actions[action]!, handed));
  LiveAttempt.abort(handed, "deadline");
  const state = answer.ok ? member(answer.value, "state") : undefined;
  const verdict = state === "applied" || state === "not_applied" ? state : "unknown";
  const errorType = answer.ok || answer.error === undefined ? undefined : { errorType: errorTypeOf(answer.error) };
  const held = state === "applied" ? heldOf(shop, answer) : undefined;
  return { at: shop.now(), news: { type: "reconciled", action, verdict, ...errorType }, ...(held && { held }) };
}

export async function takeRetry(shop: Shop, action: number): Promise<PortResult> {
  let verdict: "granted" | "exhausted" | "unavailable" = "unavailable";
  try {
    const taken: unknown = shop.ports.retryBudget!.tryTake();
    if (typeof taken === "boolean") verdict = taken ? "granted" : "exhausted";
  } catch {
    // Unavailable.
  }
  return { at: shop.now(), news: { type: "retry_budget", action, verdict } };
}

/** Reads the kill switch; whatever is not one of its two states is `unavailable` (S2.3). No switch is always open. */
export async function readSwitch(shop: Shop, limitMs: number): Promise<"open" | "halted" | "unavailable"> {
  const { killSwitch } = shop.ports;
  if (killSwitch === undefined) return "open";
  const answer = await limited<unknown>(shop.clock, limitMs, () => killSwitch.read());
  const halted = answer.ok ? member(answer.value, "halted") : undefined;
  return halted === true ? "halted" : halted === false ? "open" : "unavailable";
}

/** The value that goes with an answer, where values are kept and this one is JSON. */
function heldOf(shop: Shop, answer: Answer<unknown>): { json: unknown } | undefined {
  return answer.ok ? storable(shop, member(answer.value, "value")) : undefined;
}

export function storable({ storeValues }: Shop, value: unknown): { json: unknown } | undefined {
  return storeValues && value !== undefined && checkJson(value).length === 0 ? { json: value } : undefined;
}

function isDuration(value: unknown): value is number {
  return typeof value === "number" && value >= 0;
}
