import type { Clock } from "@eoc/core";

/** A process that can die in the middle of an execution. */
export interface MortalProcess {
  /** Its view of time: once it is dead no timer of it fires. */
  readonly clock: Clock;
  /** The same promise, which never settles once it is dead. */
  hears<T>(promise: Promise<T>): Promise<T>;
  readonly isDead: boolean;
  /** Resolves when it dies. */
  readonly death: Promise<void>;
  die(): void;
}

export function createMortalProcess(clock: Clock): MortalProcess {
  const cancels = new Set<() => void>();
  let isDead = false;
  let tell = () => {};
  const death = new Promise<void>((resolve) => {
    tell = resolve;
  });
  return {
    clock: {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      setTimer: (callback, delayMs) => {
        if (isDead) return () => {};
        const cancel = clock.setTimer(() => {
          cancels.delete(cancel);
          callback();
        }, delayMs);
        cancels.add(cancel);
        return () => {
          cancels.delete(cancel);
          cancel();
        };
      },
    },
    hears: (promise) =>
      new Promise((resolve, reject) => {
        promise.then(
          (value) => isDead || resolve(value),
          (error: unknown) => isDead || reject(error),
        );
      }),
    get isDead() {
      return isDead;
    },
    death,
    die: () => {
      isDead = true;
      for (const cancel of cancels) cancel();
      cancels.clear();
      tell();
    },
  };
}
