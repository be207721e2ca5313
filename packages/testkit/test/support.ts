import type { VirtualClock } from "@eoc/testkit";

/**
 * A retry loop over nothing but the clock: each attempt may take 5,000 virtual milliseconds, the next begins one second
 * after the last. Returns how many attempts really ended.
 */
export async function attemptsThatRan(
  clock: VirtualClock,
  attempts: number,
  attempt: (number: number) => Promise<unknown>,
): Promise<number> {
  let ran = 0;
  for (let number = 0; number < attempts; number++) {
    if (number > 0) await clock.sleep(1000);
    const ended = attempt(number).then(() => {
      ran++;
    });
    await Promise.race([ended, clock.sleep(5000, { name: "attempt limit" })]);
  }
  return ran;
}
