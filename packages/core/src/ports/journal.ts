import type { ExecutionEvent } from "../report/events.js";

/**
 * A durable record, written ahead: the intent of a dispatch is appended, and its promise resolved, before the dispatch
 * (S8.2). A failed or hanging append of an intent means that nothing is dispatched.
 */
export interface Journal {
  append(event: ExecutionEvent): void | Promise<void>;
}
