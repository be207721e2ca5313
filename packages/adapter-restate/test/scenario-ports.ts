import {
  createManualKillSwitch,
  createMemoryIdempotencyStore,
  createMemoryRateLimiter,
  createRetryBudget,
  type ExecutionEvent,
  fingerprintOf,
  type Gate,
  type IdempotencyStore,
  type Journal,
  type KillSwitch,
  planExecution,
  type RateLimiter,
  type RetryBudget,
} from "@eoc/core";
import type { VirtualClock } from "@eoc/testkit";
import type { DurablePorts } from "../src/options.js";
import { decisionOf, type GateScenario, policyOf, type Scenario, type Stored } from "./scenario.js";

/** The ports of a scenario; each call makes new ones, which know nothing of those before. */
export function portsOf(scenario: Scenario, clock: VirtualClock): DurablePorts {
  const { store, limiter, gates, budget } = scenario;
  const killSwitch = killSwitchOf(scenario, clock);
  return {
    ...(scenario.killSwitch !== "none" && {
      killSwitch: { ...killSwitch, read: answering(scenario, -1)(killSwitch.read) },
    }),
    ...(store && scenario.refused !== "port" && { idempotencyStore: storeOf(scenario, store, clock) }),
    ...(limiter && { rateLimiter: limiterOf(scenario, limiter, clock) }),
    ...(budget && { retryBudget: budgetOf(budget) }),
    ...(gates.length > 0 && { gates: gates.map((kind) => answering(scenario, -1)(gateOf(kind))) }),
  };
}

/** Keeps what is appended, but for one that fails. */
export function journalOf(scenario: Scenario, kept: ExecutionEvent[]): { journal: Journal } | undefined {
  if (scenario.journal === undefined) return undefined;
  const append = answering(scenario, scenario.journal.failsAt)((event: ExecutionEvent) => void kept.push(event));
  return { journal: { append, keepsOrder: scenario.journal.keepsOrder } };
}

/** Makes ports answer as the scenario says. Their calls are counted together; the one at `failsAt` fails. */
function answering({ promises }: Scenario, failsAt: number) {
  let calls = 0;
  return <A extends unknown[], R>(call: (...args: A) => R) =>
    (...args: A): R => {
      if (calls++ === failsAt) throw new Error("no connection");
      const answer = call(...args);
      return promises ? (Promise.resolve(answer) as never) : answer;
    };
}

function killSwitchOf({ killSwitch: kind, haltAtMs }: Scenario, clock: VirtualClock): KillSwitch {
  const manual = createManualKillSwitch();
  if (haltAtMs !== undefined) clock.setTimer(() => manual.halt(), haltAtMs);
  if (haltAtMs !== undefined && kind === "back") clock.setTimer(() => manual.clear(), haltAtMs + 1);
  // By the clock, not by the number of reads: a driver that waits on an engine looks more often.
  const isUnreadable = () => clock.monotonic() > 20.5 && clock.monotonic() < 60.5;
  switch (kind) {
    case "deaf":
      return { read: () => manual.read() };
    case "throws":
      return {
        ...manual,
        read: () => {
          if (isUnreadable()) throw new Error("unreadable");
          return manual.read();
        },
      };
    case "nonsense":
      return { ...manual, read: () => (isUnreadable() ? ("open" as never) : manual.read()) };
    case "unsubscribable":
      return {
        read: () => manual.read(),
        subscribe: () => {
          throw new Error("no subscribers");
        },
      };
    default:
      return manual;
  }
}

function storeOf(
  scenario: Scenario,
  { holds, starts, failsAt }: NonNullable<Scenario["store"]>,
  clock: VirtualClock,
): IdempotencyStore {
  const store = createMemoryIdempotencyStore({ clock });
  if (scenario.refused !== "nothing") return store;
  const { actions } = planExecution(decisionOf(scenario) as never, policyOf(scenario) as never);
  for (const [i, stored] of holds.entries()) {
    const action = actions.find(({ idempotencyKey }) => idempotencyKey === `k-${i}`);
    if (action !== undefined) put(store, `k-${i}`, fingerprintOf(action), stored);
  }
  const failing = answering(scenario, failsAt);
  const { start, list: _, resolve: __, renew, ...rest } = store;
  const { claim, complete, release, markUnknown } = rest;
  return {
    renew,
    claim: failing(claim),
    complete: failing(complete),
    release: failing(release),
    markUnknown: failing(markUnknown),
    ...(starts && { start: failing(start) }),
  };
}

function put(
  store: ReturnType<typeof createMemoryIdempotencyStore>,
  key: string,
  fingerprint: string,
  stored: Stored,
): void {
  if (stored === "nothing") return;
  const of = stored === "conflict" ? "another" : fingerprint;
  const leaseMs = stored === "in_progress" ? 120 : 60_000;
  const verdict = store.claim(key, { fingerprint: of, leaseMs, nowMs: 0 });
  if (verdict.state !== "claimed") return;
  const { token } = verdict;
  store.start(key, token);
  if (stored === "completed" || stored === "conflict") store.complete(key, token, { ttlMs: 60_000, value: "before" });
  if (stored === "valueless") store.complete(key, token, { ttlMs: 60_000, valueOmitted: true });
  if (stored === "unknown") store.markUnknown(key, token);
}

function limiterOf(
  scenario: Scenario,
  { failsAt, takenAtMs }: NonNullable<Scenario["limiter"]>,
  clock: VirtualClock,
): RateLimiter {
  const { policy } = scenario;
  const limiter = createMemoryRateLimiter();
  // Somebody else's dispatch.
  const take = () => {
    const limit = policy.rateLimit?.global;
    if (limit === undefined) return;
    const verdict = limiter.acquire([{ key: "global", ...limit }], clock.monotonic());
    if ("granted" in verdict && verdict.granted) verdict.dispatched?.(clock.monotonic());
  };
  if (takenAtMs === 0) take();
  if (takenAtMs > 0) clock.setTimer(take, takenAtMs);
  return { acquire: answering(scenario, failsAt)((requests, nowMs) => limiter.acquire(requests, nowMs)) };
}

function budgetOf({ throws, ...options }: NonNullable<Scenario["budget"]>): RetryBudget {
  const budget = createRetryBudget(options);
  if (!throws) return budget;
  return {
    ...budget,
    tryTake: () => {
      throw new Error("no budget");
    },
  };
}

function gateOf(kind: GateScenario): Gate {
  let asked = 0;
  return () => {
    switch (kind) {
      case "open":
        return { allow: true };
      case "later":
        return asked++ > 0 ? { allow: true } : { allow: false, code: "later", retryAfterMs: 15 };
      case "much_later":
        return { allow: false, code: "much_later", retryAfterMs: 90_000 };
      case "shut":
        return { allow: false, code: "shut" };
      case "throws":
        throw new Error("no gate");
      default:
        return "open" as never;
    }
  };
}
