/** A signal that aborts as soon as one of several does, and how to let go of them; no signal where there is none to follow. */
export function followAny(signals: readonly (AbortSignal | undefined)[]): {
  signal: AbortSignal | undefined;
  unfollow: () => void;
} {
  const followed = signals.filter((signal) => signal !== undefined);
  if (followed.length < 2) return { signal: followed[0], unfollow: () => {} };
  const controller = new AbortController();
  const abort = () => controller.abort();
  for (const signal of followed) {
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort);
  }
  return {
    signal: controller.signal,
    unfollow() {
      for (const signal of followed) signal.removeEventListener("abort", abort);
    },
  };
}
