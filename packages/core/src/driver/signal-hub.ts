const hubs = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `listener` when `signal` aborts. However many listen, the signal carries one listener, and none when the last
 * has gone: signals search theirs linearly and keep them alive (S4.6). Returns how to leave.
 */
export function joinSignal(signal: AbortSignal, listener: () => void): () => void {
  let members = hubs.get(signal);
  if (members === undefined) {
    const joined = new Set<() => void>();
    members = joined;
    hubs.set(signal, joined);
    const onAbort = () => {
      hubs.delete(signal);
      for (const member of joined) member();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    removers.set(joined, () => signal.removeEventListener("abort", onAbort));
  }
  const set = members;
  set.add(listener);
  return () => {
    set.delete(listener);
    if (set.size > 0 || hubs.get(signal) !== set) return;
    hubs.delete(signal);
    removers.get(set)?.();
  };
}

const removers = new WeakMap<Set<() => void>, () => void>();
