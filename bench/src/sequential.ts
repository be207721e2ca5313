import { getEventListeners } from "node:events";
import { type Contestant, verify } from "./contest.ts";

/** Does an operation again and again, each after the one before, and looks at every result. */
export function sequential<T>(operate: () => Promise<T>, isRight: (result: T) => boolean): Contestant {
  return {
    async run(count) {
      for (let i = 0; i < count; i++) {
        const result = await operate();
        verify(isRight(result), "a contestant", result);
      }
    },
  };
}

/** What is left on a signal, and in memory, by executions that have all settled. */
export function leftBehind(contestant: Contestant, signal: AbortSignal): NonNullable<Contestant["gauges"]> {
  const executions = 20_000;
  return {
    "listeners left": () => getEventListeners(signal, "abort").length,
    "bytes left": async () => {
      await contestant.run(1000);
      globalThis.gc!();
      const before = process.memoryUsage().heapUsed;
      await contestant.run(executions);
      globalThis.gc!();
      return Math.max(0, Math.round((process.memoryUsage().heapUsed - before) / executions));
    },
  };
}
