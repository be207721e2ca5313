import type { ExecutionEvent } from "@eoc/core";
import { errorTypeOf } from "@eoc/core/machine";
import { limited, member } from "../live/limited.js";
import { registry } from "../live/registry.js";
import type { DurablePorts } from "../options.js";
import type { Shop } from "./shop.js";

/** Something that is to be done and has no answer. */
export type Chore = { readonly type: "event"; readonly event: ExecutionEvent } | { readonly type: "refill" };

/** What came of handing chores on. */
export interface Delivery {
  /** An event could not be appended. */
  readonly lost?: true;
  readonly listenerFailed?: string;
}

/**
 * Hands chores on within `limitMs`, in order, and without waiting where the journal keeps the order itself. What the outside does
 * with them changes nothing (S8.3).
 */
export async function deliver(shop: Shop, chores: readonly Chore[], limitMs: number): Promise<Delivery> {
  if (chores.length === 0) return {};
  const endsAt = shop.clock.monotonic() + limitMs;
  const waits = member(shop.ports.journal, "keepsOrder") !== true;
  const tellings: ReturnType<typeof tell>[] = [];
  for (const chore of chores) {
    if (chore.type === "refill") refill(shop.ports);
    else {
      const telling = tell(shop, chore.event, endsAt - shop.clock.monotonic());
      tellings.push(telling);
      if (waits) await telling;
    }
  }
  const told = await Promise.all(tellings);
  const lost = told.some(({ durable }) => !durable);
  const listenerFailed = told.find((each) => each.listenerFailed !== undefined)?.listenerFailed;
  return { ...(lost ? { lost } : undefined), ...(listenerFailed === undefined ? undefined : { listenerFailed }) };
}

function refill({ retryBudget }: DurablePorts): void {
  try {
    retryBudget?.succeeded();
  } catch {
    // A budget that is not refilled only makes for fewer retries.
  }
}

/**
 * Shows an event and appends it, unless this process has done so before: a step that is taken again hands on what it
 * handed on. `durable` where it is, or there is no journal.
 */
export async function tell(
  shop: Shop,
  event: ExecutionEvent,
  limitMs: number,
): Promise<{ durable: boolean; listenerFailed?: string }> {
  const { executionId, seq } = event;
  if (seq < registry.told(executionId)) return { durable: true };
  const listenerFailed = show(shop.ports, event);
  const durable = await append(shop, event, limitMs);
  if (durable) registry.tell(executionId, seq, shop.lastsUntilMs, shop.clock.now());
  return { durable, ...(listenerFailed === undefined ? undefined : { listenerFailed }) };
}

/** Gives the name of what the listener threw. */
function show({ onEvent }: DurablePorts, event: ExecutionEvent): string | undefined {
  if (onEvent === undefined) return undefined;
  try {
    const answer: unknown = onEvent(Object.freeze(event));
    // An async listener's rejection comes too late to be on record.
    if (typeof member(answer, "then") === "function") Promise.resolve(answer).catch(() => {});
    return undefined;
  } catch (error) {
    return errorTypeOf(error);
  }
}

async function append({ ports, clock }: Shop, event: ExecutionEvent, limitMs: number): Promise<boolean> {
  const { journal } = ports;
  if (journal === undefined) return true;
  return (await limited<unknown>(clock, limitMs, () => journal.append(Object.freeze(event)))).ok;
}
