import {
  createManualKillSwitch,
  createMemoryIdempotencyStore,
  createMemoryRateLimiter,
  type ExecutionEvent,
  type IdempotencyStore,
  type RateLimiter,
} from "@eoc/core";
import {
  idempotencyStoreContract,
  isDeadlockError,
  journalContract,
  type KillSwitchUnderTest,
  killSwitchContract,
  type RateLimiterCapabilities,
  rateLimiterContract,
  type StoreUnderTest,
} from "@eoc/testkit";
import { describe, expect, it } from "vitest";

/*
 * Implementations in real time: behind a wire that nothing shows, asynchronous, with a clock of their own and several
 * connections. What they answer takes real milliseconds, as a database's answers do.
 */

/** A round trip on a timer that keeps nothing alive: no clock can see it. */
const roundTrip = (ms = 0.2) =>
  new Promise<void>((resolve) => {
    setTimeout(resolve, ms).unref();
  });

/** The time of a server: real, and movable by tests. */
function createServerClock() {
  let offsetMs = 0;
  const monotonic = () => performance.now() + offsetMs;
  const clock = { now: monotonic, monotonic, setTimer: () => () => {} };
  return {
    clock,
    advance: async (ms: number) => {
      await roundTrip();
      offsetMs += ms;
    },
  };
}

/** Every method over the wire, answers as JSON. */
function overTheWire<Port extends object>(port: Port, ms?: number): Port {
  const call = (method: (...values: unknown[]) => unknown) => {
    return async (...values: unknown[]) => {
      await roundTrip(ms);
      const answer = JSON.stringify(await method(...values));
      await roundTrip(ms);
      return answer === undefined ? undefined : JSON.parse(answer);
    };
  };
  return Object.fromEntries(Object.entries(port).map(([name, method]) => [name, call(method)])) as Port;
}

function openStore(ms?: number): StoreUnderTest {
  const { clock, advance } = createServerClock();
  const store = createMemoryIdempotencyStore({ clock });
  const connect = () => overTheWire<IdempotencyStore>(store, ms);
  return { store: connect(), another: connect, advance };
}

describe("a store in real time keeps the contract of a store", () => {
  for (const { name, run } of idempotencyStoreContract(() => openStore(), { realTime: true })) it(name, run);
});

describe("a store whose server's clock cannot be moved", () => {
  it("fails the cases about time, which say what is missing", async () => {
    const contract = idempotencyStoreContract(
      () => {
        const { advance: _, ...store } = openStore();
        return store;
      },
      { realTime: true },
    );
    const about = contract.find(({ name }) => name.startsWith("S7.2 a lease that ran out after the dispatch"))!;
    await expect(about.run()).rejects.toThrow("must have `advance(ms)`");
  });
});

describe("a slow answer that nothing shows", () => {
  const first = (ms: number, realTime: boolean) => idempotencyStoreContract(() => openStore(ms), { realTime })[0]!;

  it("is waited for in real time", () => first(150, true).run());

  it("is taken for none in virtual time, where nothing can come of it", async () => {
    const error = await first(60_000, false)
      .run()
      .catch((reason: unknown) => reason);
    expect(isDeadlockError(error)).toBe(true);
  });
});

/** A limiter on a server: stamps and permits handed back go over the wire too, and nobody waits for them. */
function openLimiter() {
  const { clock, advance } = createServerClock();
  const limiter = createMemoryRateLimiter();
  const told = new Set<Promise<unknown>>();
  const tell = (what: () => void) => {
    const telling = roundTrip().then(what);
    told.add(telling);
    void telling.finally(() => told.delete(telling));
  };
  const connect = (): RateLimiter => ({
    acquire: async (requests) => {
      await roundTrip();
      const verdict = await limiter.acquire(requests, clock.monotonic());
      await roundTrip();
      if (!verdict.granted) return verdict;
      return {
        granted: true,
        dispatched: () => tell(() => verdict.dispatched?.(clock.monotonic())),
        cancel: () => tell(() => verdict.cancel?.()),
      };
    },
  });
  const settle = async () => void (await Promise.all(told));
  return { rateLimiter: connect(), another: connect, advance, settle };
}

describe("a limiter in real time keeps the contract of a limiter", () => {
  for (const { name, run } of rateLimiterContract(openLimiter, { realTime: true })) it(name, run);
});

describe("a limiter in real time with less than it says", () => {
  const failing = async (name: string, open: () => ReturnType<typeof openLimiter>, o: RateLimiterCapabilities = {}) => {
    const contract = rateLimiterContract(open, { realTime: true, ...o });
    await expect(contract.find((each) => each.name === name)!.run()).rejects.toThrow();
  };

  it("fails when its windows are too short", () =>
    failing("S6.1 no window of any length has more starts than the limit, however the starts come", () => {
      const limiter = openLimiter();
      const acquire: RateLimiter["acquire"] = (requests, nowMs) =>
        limiter.rateLimiter.acquire(
          requests.map((each) => ({ ...each, windowMs: each.windowMs * 0.8 })),
          nowMs,
        );
      return { ...limiter, rateLimiter: { acquire } };
    }));

  it("fails when its stamps do not arrive", () =>
    failing("S6.1 a permit counts from its stamp, not from its grant", () => {
      const limiter = openLimiter();
      const acquire: RateLimiter["acquire"] = async (requests, nowMs) => {
        const verdict = await limiter.rateLimiter.acquire(requests, nowMs);
        return verdict.granted ? { ...verdict, dispatched: () => {} } : verdict;
      };
      return { ...limiter, rateLimiter: { acquire } };
    }));
});

/** A switch on a server that publishes changes, and is polled by nobody. */
function openSwitch(): KillSwitchUnderTest {
  const inner = createManualKillSwitch();
  let isDark = false;
  return {
    killSwitch: {
      read: async () => {
        await roundTrip();
        // Not even an error comes out of the dark.
        if (isDark) await new Promise(() => {});
        return inner.read();
      },
      subscribe: (listener) => inner.subscribe((state) => void roundTrip(5).then(() => listener(state))),
    },
    halt: (reason) => inner.halt(reason),
    clear: () => inner.clear(),
    goDark: () => {
      isDark = true;
    },
  };
}

describe("a switch in real time keeps the contract of a switch, although its listeners hear of a halt later", () => {
  const open = () => {
    const subject = openSwitch();
    const { subscribe } = subject.killSwitch;
    return {
      ...subject,
      killSwitch: {
        ...subject.killSwitch,
        subscribe: (listener: Parameters<NonNullable<typeof subscribe>>[0]) => {
          let isGone = false;
          const unsubscribe = subscribe!((state) => {
            if (!isGone)
              Promise.resolve(state)
                .then(listener)
                .catch(() => {});
          });
          return () => {
            isGone = true;
            unsubscribe();
          };
        },
      },
    };
  };
  // A hang costs the patience, so it is short here: no answer comes after it either.
  for (const { name, run } of killSwitchContract(open, { realTime: true, patienceMs: 100 })) it(name, run);

  it("fails when they do not hear of it at all", async () => {
    const deaf = () => {
      const subject = openSwitch();
      return { ...subject, killSwitch: { ...subject.killSwitch, subscribe: () => () => {} } };
    };
    const contract = killSwitchContract(deaf, { realTime: true, patienceMs: 20 });
    const hears = contract.find(({ name }) => name === "S2.4 a listener hears of a halt")!;
    await expect(hears.run()).rejects.toThrow("the listener has not heard of the halt");
  });
});

describe("a journal in real time keeps the contract of a journal", () => {
  const open = (lines: string[] = []) => {
    let isDark = false;
    let last = Promise.resolve();
    const append = (event: ExecutionEvent) => {
      const line = JSON.stringify(event);
      last = last.then(async () => {
        await roundTrip();
        if (isDark) await new Promise(() => {});
        lines.push(line);
      });
      return last;
    };
    return {
      journal: { append },
      read: () => lines.map((line) => JSON.parse(line) as ExecutionEvent),
      crash: () => open([...lines]),
      goDark: () => {
        isDark = true;
      },
    };
  };
  for (const { name, run } of journalContract(() => open(), { realTime: true, patienceMs: 100 })) it(name, run);
});
