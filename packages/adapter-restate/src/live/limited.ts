import type { Clock, KillSwitch } from "@eoc/core";

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
    // Called before the limit is set: what answers at that very moment has answered in time.
    const called = new Promise<T>((done) => done(call()));
    const cancel = clock.setTimer(
      () => {
        open = false;
        resolve({ ok: false });
      },
      Math.max(0, limitMs),
    );
    called.then(
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

/** Hears of a halt. Gives how to leave, which never throws; undefined where it cannot be subscribed to. */
export function subscribe(killSwitch: KillSwitch | undefined, halted: () => void): (() => void) | undefined {
  if (killSwitch?.subscribe === undefined) return () => {};
  try {
    const leave: unknown = killSwitch.subscribe((state: unknown) => {
      // Whatever is not plainly "go on" stops.
      if (member(state, "halted") !== false) halted();
    });
    return () => {
      if (typeof leave === "function") attempt(leave as () => unknown);
    };
  } catch {
    return undefined;
  }
}

/** False of a switch that is broken: it could not be obeyed in flight (S2.3). */
export function canSubscribe(killSwitch: KillSwitch | undefined): boolean {
  const leave = subscribe(killSwitch, () => {});
  leave?.();
  return leave !== undefined;
}
