import type { ExecutionEvent } from "../report/events.js";

/**
 * A durable record, written ahead: the intent of a dispatch is appended, and its promise resolved, before the dispatch
 * (S8.2). A failed or hanging append of an intent means that nothing is dispatched.
 */
export interface Journal {
  append(event: ExecutionEvent): void | Promise<void>;
  /**
   * That an execution need not wait for one append before the next: however many are under way, their events are kept in the order
   * of the calls, and after one that failed every later one fails. A journal may then make many durable at once.
   * @defaultValue false
   */
  readonly keepsOrder?: boolean;
}
