import {
  type AttemptContext,
  type Effect,
  type Executor,
  type ExecutorResult,
  isNotAppliedError,
  type PlannedAction,
  type ReconcileVerdict,
} from "@eoc/core";
import type { Desk, UnderTest } from "../contract-case.js";
import { must } from "../expectations.js";

/**
 * How the outside world behaves towards the executor.
 * - `well`: applies what it is asked to, and answers.
 * - `refuses`: answers that it will not; nothing is applied.
 * - `loses_reply`: applies it, but the answer never arrives: the connection breaks, or nothing comes any more.
 * - `is_slow`: applies it and answers, but only 10,000 ms later by the bench's clock.
 * - `is_unreachable`: nothing arrives there.
 */
export type OutsideWorld = "well" | "refuses" | "loses_reply" | "is_slow" | "is_unreachable";

/** An executor under test, and the outside world that it acts on. */
export interface ExecutorUnderTest extends UnderTest {
  readonly executor: Executor;
  /** From now on the outside world behaves so. It is well in the beginning. */
  behave(how: OutsideWorld): void | Promise<void>;
  /** How often the effect of an action has happened out there. */
  effects(action: PlannedAction): number | Promise<number>;
  /** What the executor can carry out. The id tells actions apart. @defaultValue `ACT` without parameters */
  action?(id: string): Partial<Pick<PlannedAction, "action" | "params">>;
}

/** As it reads in a message: "in a world that …". */
export const THAT: Readonly<Record<OutsideWorld, string>> = {
  well: "is well",
  refuses: "refuses",
  loses_reply: "loses the reply",
  is_slow: "is slow",
  is_unreachable: "is unreachable",
};

export type ExecutorDesk = Desk<ExecutorUnderTest>;

/** The attempt's limit, well before a slow world answers. */
export const LIMIT_MS = 5000;
/** How long an aborted attempt may take to settle. */
export const GRACE_MS = 100;
export const SLOW_MS = 10_000;

const CODE = /^[a-z0-9_.:-]{1,64}$/;

/** What one dispatch came to. `not_applied` is the executor's promise; `unknown` is every throw. */
export type Outcome = "applied" | "not_applied" | "unknown";

export function anAction({ subject }: ExecutorDesk, id: string, effect: Effect = "once"): PlannedAction {
  const { action = "ACT", params = {} } = subject.action?.(id) ?? {};
  return Object.freeze({ id, index: 0, action, params: deepFreeze(structuredClone(params)), effect });
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}

function anAttempt({ clock }: ExecutorDesk, signal: AbortSignal, key: string): AttemptContext {
  return Object.freeze({
    signal,
    attempt: 0,
    idempotencyKey: key,
    deadlineMs: clock.monotonic() + LIMIT_MS,
    context: Object.freeze({}),
    executionId: "contract",
    actionIndex: 0,
  });
}

/** A dispatch that is under way. */
export interface Dispatch {
  readonly action: PlannedAction;
  readonly attempt: AttemptContext;
  abort(): void;
  /** What it comes to. Rejects when the executor says something that no executor may say. */
  readonly outcome: Promise<Outcome>;
}

/** Dispatches as `execute` does. */
export function dispatch(
  desk: ExecutorDesk,
  action: PlannedAction,
  key = `key of ${action.id}`,
  controller = new AbortController(),
): Dispatch {
  const attempt = anAttempt(desk, controller.signal, key);
  const outcome = call(desk, action, attempt);
  // Who gives up on it need not hear of it.
  outcome.catch(() => {});
  return { action, attempt, abort: () => controller.abort(new Error("aborted by the contract")), outcome };
}

/** The same to its end: aborted at the limit, and then waited for. */
export async function dispatchToTheEnd(desk: ExecutorDesk, action: PlannedAction, key?: string): Promise<Outcome> {
  const dispatched = dispatch(desk, action, key);
  const inTime = await Promise.race([
    dispatched.outcome,
    desk.clock.sleep(LIMIT_MS, { name: "limit" }).then(() => undefined),
  ]);
  if (inTime !== undefined) return inTime;
  dispatched.abort();
  const late = desk.clock.sleep(2 * SLOW_MS, { name: "an aborted dispatch" }).then((): Outcome => "unknown");
  return Promise.race([dispatched.outcome, late]);
}

async function call({ subject }: ExecutorDesk, action: PlannedAction, attempt: AttemptContext): Promise<Outcome> {
  const { executor } = subject;
  let result: ExecutorResult;
  try {
    result = await (typeof executor === "function" ? executor(action, attempt) : executor.execute(action, attempt));
  } catch (error) {
    if (!isNotAppliedError(error)) return "unknown";
    checkRejection(error);
    return "not_applied";
  }
  must(
    typeof result === "object" && result !== null && typeof result.ok === "boolean",
    "an executor must resolve to { ok: true } or { ok: false }, or throw",
  );
  if (result.ok) return "applied";
  checkRejection(result);
  return "not_applied";
}

function checkRejection({
  code,
  retryable,
  retryAfterMs,
}: {
  code: unknown;
  retryable?: unknown;
  retryAfterMs?: unknown;
}): void {
  must(typeof code === "string" && CODE.test(code), "the code of a rejection must match ^[a-z0-9_.:-]{1,64}$");
  must(retryable === undefined || typeof retryable === "boolean", "`retryable` must be a boolean");
  must(
    retryAfterMs === undefined || (Number.isFinite(retryAfterMs) && (retryAfterMs as number) >= 0),
    "`retryAfterMs` must be a number from 0",
  );
}

/** What reconcile says of a dispatch; `unknown` when it throws. */
export async function reconciled(
  { subject }: ExecutorDesk,
  { action, attempt }: Dispatch,
): Promise<ReconcileVerdict["state"]> {
  const reconcile =
    typeof subject.executor === "function" ? undefined : subject.executor.reconcile?.bind(subject.executor);
  must(reconcile !== undefined, "the executor has no `reconcile`: declare `reconcile: false`");
  const fresh = { ...attempt, signal: new AbortController().signal };
  try {
    return (await reconcile(action, fresh)).state;
  } catch {
    return "unknown";
  }
}

/** Waits until nothing that was begun can still happen, then counts. */
export async function effectsInTheEnd(desk: ExecutorDesk, action: PlannedAction): Promise<number> {
  await desk.clock.sleep(3 * SLOW_MS, { name: "whatever is still on its way" });
  return desk.subject.effects(action);
}
