import type { ExecutionEvent } from "@eoc/core";
import { errorTypeOf } from "@eoc/core/machine";
import { limited, member } from "../live/limited.js";
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

/** Hands chores on within `limitMs`, in order. What the outside does with them changes nothing (S8.3). */
export async function deliver(shop: Shop, chores: readonly Chore[], limitMs: number): Promise<Delivery> {
  if (chores.length === 0) return {};
  const endsAt = shop.clock.monotonic() + limitMs;
  let lost = false;
  let listenerFailed: string | undefined;
  for (const chore of chores) {
    if (chore.type === "refill") refill(shop.ports);
    else {
      listenerFailed ??= show(shop.ports, chore.event);
      lost = !(await append(shop, chore.event, endsAt - shop.clock.monotonic())) || lost;
    }
  }
  return { ...(lost ? { lost } : undefined), ...(listenerFailed === undefined ? undefined : { listenerFailed }) };
}

function refill({ retryBudget }: DurablePorts): void {
  try {
    retryBudget?.succeeded();
  } catch {
    // A budget that is not refilled only makes for fewer retries.
  }
}

/** Shows an event to the listener; gives the name of what the listener threw. */
export function show({ onEvent }: DurablePorts, event: ExecutionEvent): string | undefined {
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

/** True when the event is durable, or there is no journal. */
export async function append({ ports, clock }: Shop, event: ExecutionEvent, limitMs: number): Promise<boolean> {
  const { journal } = ports;
  if (journal === undefined) return true;
  return (await limited<unknown>(clock, limitMs, () => journal.append(Object.freeze(event)))).ok;
}
