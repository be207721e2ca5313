/** The machine's clocks. The monotonic one is common to all processes of one boot, and no step of the wall clock moves it. */
export interface MachineTime {
  /** Milliseconds since the Unix epoch: for people only. */
  wallMs(): number;
  /** Milliseconds since the machine was started, time in which it was suspended excepted on most systems. */
  monotonicMs(): number;
}

/** The real clocks; or, for tests, two numbers in shared memory, wall clock first, that every thread reads. */
export function machineTime(shared?: SharedArrayBuffer): MachineTime {
  if (shared !== undefined) {
    const times = new Float64Array(shared);
    return { wallMs: () => times[0]!, monotonicMs: () => times[1]! };
  }
  return {
    // biome-ignore lint/plugin: the store's own clock (S7.2).
    wallMs: () => Date.now(),
    // Not `performance.now()`: its origin is the process, and processes have to agree.
    monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
  };
}

/** Calls back once, after real milliseconds; keeps no process alive. Returns how to cancel. */
export function after(delayMs: number, callback: () => void): () => void {
  const timer = setTimeout(callback, delayMs);
  timer.unref();
  return () => clearTimeout(timer);
}

/** Calls back again and again; keeps no process alive. Returns how to stop. */
export function every(intervalMs: number, callback: () => void): () => void {
  const timer = setInterval(callback, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** Calls back once what has come from elsewhere until now has been looked at, messages of other threads among it. */
export function afterMessages(callback: () => void): void {
  setImmediate(callback);
}

/** Holds the whole thread up: only for the store's own. */
export function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
