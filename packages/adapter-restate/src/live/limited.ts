import type { Clock } from "@eoc/core";

/** What came of a call of something that is not ours. */
export type Answer<T> = { ok: true; value: T } | { ok: false; error?: unknown };

/** Calls a port: whatever it throws, rejects with or withholds becomes an answer within the limit (S4.1). Never rejects. */
export function limited<T>(
  clock: Clock,
  limitMs: number,
  call: () => T | Promise<T>,
  tooLate?: (value: T) => void,
): Promise<Answer<T>> {
  return new Promise((resolve) => {
    let open = true;
    const cancel = clock.setTimer(
      () => {
        open = false;
        resolve({ ok: false });
      },
      Math.max(0, limitMs),
    );
    new Promise<T>((done) => done(call())).then(
      (value) => {
        if (!open) return tooLate?.(value);
        cancel();
        resolve({ ok: true, value });
      },
      (error: unknown) => {
        if (open) cancel();
        resolve({ ok: false, error });
      },
    );
  });
}

/** A member of something that is not ours; undefined where it has none or throws. */
export function member(value: unknown, name: string): unknown {
  try {
    return (value as Record<string, unknown> | null | undefined)?.[name];
  } catch {
    return undefined;
  }
}

/** Does something of somebody else's whose failure changes nothing. */
export function attempt(call: () => unknown): void {
  try {
    Promise.resolve(call()).catch(() => {});
  } catch {
    // Nobody is there to hear of it.
  }
}
