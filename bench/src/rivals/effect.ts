import { Effect, Semaphore } from "effect";

/** Retry, an attempt limit and a semaphore, run as one promise for each execution. */
export function createEffect(slots = 64) {
  const semaphore = Semaphore.makeUnsafe(slots);
  return <T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> => {
    const attempt = Effect.timeout(Effect.tryPromise(task), "5 seconds");
    const program = semaphore.withPermits(1)(Effect.retry(attempt, { times: 3 }));
    return Effect.runPromise(program, signal === undefined ? undefined : { signal });
  };
}
