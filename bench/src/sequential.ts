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
