import type { FastClock } from "./fast-clock.js";

/** What one call of a port does. `lost`: it is done, but its answer is lost. */
export type Fault = "none" | "throws" | "rejects" | "hangs" | "garbage" | "lost" | "slow" | "async";

/** Text that must not be found in any record (S9.1). */
export const SECRET = "hunter2-canary";

const fail = (): never => {
  throw new RangeError(`connection lost: ${SECRET}`);
};

/** A port's function that misbehaves by a script, one entry a call; afterwards it behaves. */
export function faulty<Args extends unknown[], T>(
  call: (...args: Args) => T,
  script: readonly Fault[],
  time: FastClock,
): (...args: Args) => T {
  let calls = 0;
  const behave = (...args: Args): unknown => {
    switch (script[calls++] ?? "none") {
      case "throws":
        return fail();
      case "rejects":
        return Promise.resolve().then(fail);
      case "hangs":
        return new Promise(() => {});
      case "garbage":
        return { [SECRET]: 1 };
      case "lost":
        call(...args);
        return Promise.resolve().then(fail);
      case "slow":
        return time.sleep(7).then(() => call(...args));
      case "async":
        return Promise.resolve().then(() => call(...args));
      default:
        return call(...args);
    }
  };
  return behave as (...args: Args) => T;
}
