import type { ClaimRequest, ClaimVerdict, IdempotencyStore } from "@eoc/core";
import type { Desk, UnderTest } from "../contract-case.js";
import { must, mustMatch } from "../expectations.js";

/** An idempotency store under test. */
export interface StoreUnderTest extends UnderTest {
  readonly store: IdempotencyStore;
  /** Opens a second connection to the same records, as another process would. Needed by `shared`. */
  another?(): IdempotencyStore | Promise<IdempotencyStore>;
}

export type StoreDesk = Desk<StoreUnderTest>;
export type Token = string | number;

/** A claim as `execute` makes it. */
export async function claim(
  { subject, clock, spans: { leaseMs } }: StoreDesk,
  key: string,
  { store = subject.store, ...request }: Partial<ClaimRequest> & { store?: IdempotencyStore } = {},
): Promise<ClaimVerdict> {
  return store.claim(key, { fingerprint: "payload", leaseMs, nowMs: clock.now(), ...request });
}

/** A claim that has to succeed; gives its token. */
export async function claimed(
  desk: StoreDesk,
  key: string,
  request: Partial<ClaimRequest> & { store?: IdempotencyStore; when?: string } = {},
): Promise<Token> {
  const { when = "claim of a free key", ...rest } = request;
  const verdict = await claim(desk, key, rest);
  mustMatch(verdict, { state: "claimed" }, when);
  const { token } = verdict as ClaimVerdict & { state: "claimed" };
  must(typeof token === "string" || typeof token === "number", `${when}: the token must be a string or a number`);
  return token;
}

/** A claim that has to be answered with `state`. */
export async function answers(
  desk: StoreDesk,
  key: string,
  state: ClaimVerdict["state"],
  when: string,
  request: Partial<ClaimRequest> & { store?: IdempotencyStore } = {},
): Promise<ClaimVerdict> {
  const verdict = await claim(desk, key, request);
  mustMatch(verdict, { state }, `claim ${when}`);
  return verdict;
}

/** Claims a key and marks its dispatch as started. */
export async function started(desk: StoreDesk, key: string): Promise<Token> {
  const token = await claimed(desk, key);
  await desk.subject.store.start?.(key, token);
  return token;
}

/** Only an explicit `false` is a refusal. */
export function mustBeDone(answer: unknown, what: string): void {
  must(answer !== false, `${what} was refused`);
}

export function mustBeRefused(answer: unknown, what: string): void {
  must(answer === false, `${what} must answer false: its token is stale`);
}
