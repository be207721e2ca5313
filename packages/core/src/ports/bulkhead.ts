/** Slots shared by executions (S5.4). A freed slot is handed straight to the longest waiter. */
export interface Bulkhead {
  /** Takes a slot if one is free and nobody waits. */
  tryEnter(): boolean;
  /** Waits for a slot: `waiter` is called once, owning it. Returns how to leave the queue; undefined when it is full. */
  queue(waiter: () => void): (() => void) | undefined;
  /** Gives a slot back. */
  leave(): void;
}
