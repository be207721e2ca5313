import type { Clock } from "@eoc/core";

/** What came of asking somebody: an answer in time, or none. */
export type Answer<T> = { ok: true; value: T } | { ok: false; error: unknown };

/** Asks something of the caller's that may throw, reject or never answer. Never rejects; takes at most `limitMs`. */
export async function ask<T>(
  clock: Pick<Clock, "setTimer">,
  limitMs: number,
  call: () => T | Promise<T>,
): Promise<Answer<T>> {
  let cancel = () => {};
  const tooLate = new Promise<never>((_, reject) => {
    cancel = clock.setTimer(() => reject(new Error(`no answer within ${limitMs} ms`)), limitMs);
  });
  try {
    return { ok: true, value: await Promise.race([tooLate, Promise.resolve(call())]) };
  } catch (error) {
    return { ok: false, error };
  } finally {
    cancel();
  }
}
