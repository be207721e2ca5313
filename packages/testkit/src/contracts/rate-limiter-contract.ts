import type { RateLimiter, RateRequest, RateVerdict } from "@eoc/core";
import { draw } from "../draw.js";
import { type Cases, type ContractCase, contractCases, type Desk, type Open, type UnderTest } from "./contract-case.js";
import { must, mustEqual } from "./expectations.js";

/** A rate limiter under test. */
export interface RateLimiterUnderTest extends UnderTest {
  readonly rateLimiter: RateLimiter;
  /** Opens a second connection to the same counts, as another process would. Needed by `shared`. */
  another?(): RateLimiter | Promise<RateLimiter>;
}

/** What a limiter can do beyond the least. What it cannot is declared, and then the fallback is checked. */
export interface RateLimiterCapabilities {
  /** Counts a permit from the moment at which it is stamped with `dispatched`. @defaultValue true */
  stamps?: boolean;
  /** Takes a permit back. @defaultValue true */
  cancel?: boolean;
  /** Several processes use it: {@link RateLimiterUnderTest.another} opens a second connection. @defaultValue true */
  shared?: boolean;
}

type LimiterDesk = Desk<RateLimiterUnderTest>;
type Granted = RateVerdict & { granted: true };
type Refused = RateVerdict & { granted: false };

const WINDOW_MS = 1000;
const DAY_MS = 86_400_000;

const request = (limit: number, windowMs = WINDOW_MS, key = "global"): RateRequest => ({ key, limit, windowMs });

async function acquire(
  { subject, clock }: LimiterDesk,
  requests: readonly RateRequest[],
  rateLimiter: RateLimiter = subject.rateLimiter,
): Promise<RateVerdict> {
  const verdict = await rateLimiter.acquire(requests, clock.monotonic());
  if (!verdict.granted) {
    const { retryAfterMs } = verdict;
    must(
      Number.isFinite(retryAfterMs) && retryAfterMs > 0,
      `a refusal must say when to ask again, and said ${retryAfterMs}`,
    );
  }
  return verdict;
}

/** Asks for a permit and dispatches at once where it is granted. */
async function dispatches(
  desk: LimiterDesk,
  requests: readonly RateRequest[],
  rateLimiter?: RateLimiter,
): Promise<boolean> {
  const verdict = await acquire(desk, requests, rateLimiter);
  if (verdict.granted) verdict.dispatched?.(desk.clock.monotonic());
  return verdict.granted;
}

async function mustDispatch(desk: LimiterDesk, requests: readonly RateRequest[], when: string): Promise<void> {
  must(await dispatches(desk, requests), `${when}: a permit must be granted`);
}

async function mustRefuse(desk: LimiterDesk, requests: readonly RateRequest[], when: string): Promise<Refused> {
  const verdict = await acquire(desk, requests);
  must(!verdict.granted, `${when}: a permit must be refused`);
  return verdict;
}

async function granted(desk: LimiterDesk, requests: readonly RateRequest[]): Promise<Granted> {
  const verdict = await acquire(desk, requests);
  must(verdict.granted, "the first permit must be granted");
  return verdict;
}

const WINDOW_CASES: Cases<RateLimiterUnderTest> = {
  "S6.1 grants as many as the limit says, and then refuses": async (desk) => {
    for (let start = 0; start < 3; start++) await mustDispatch(desk, [request(3)], `start ${start} of 3`);
    await mustRefuse(desk, [request(3)], "start 4 of 3");
  },
  "S6.1 windows are half-open: a start exactly one window later is fine, a moment earlier is not": async (desk) => {
    await mustDispatch(desk, [request(1)], "the first start");
    await desk.advance(WINDOW_MS - 1);
    await mustRefuse(desk, [request(1)], "1 ms before the window is over");
    await desk.advance(1);
    await mustDispatch(desk, [request(1)], "exactly one window later");
  },
  "S6.1 windows slide: a burst at the end of one and another at the beginning of the next are one burst": async (
    desk,
  ) => {
    await mustDispatch(desk, [request(3)], "a first start");
    await desk.advance(WINDOW_MS - 10);
    await mustDispatch(desk, [request(3)], "a start at the end of the window");
    await mustDispatch(desk, [request(3)], "another");
    await desk.advance(10);
    await mustDispatch(desk, [request(3)], "one window after the first");
    await mustRefuse(desk, [request(3)], "10 ms after two others and with a third");
  },
  "S6.1 no window of any length has more starts than the limit, however the starts come": async (desk) => {
    const starts: number[] = [];
    for (let step = 0; step < 400; step++) {
      await desk.advance(Math.trunc(draw(`pause ${step}`) ** 3 * 700));
      if (await dispatches(desk, [request(4)])) starts.push(desk.clock.monotonic());
    }
    must(starts.length > 40, `only ${starts.length} permits were granted in ${desk.clock.monotonic()} ms`);
    for (let last = 4; last < starts.length; last++) {
      const spanMs = starts[last]! - starts[last - 4]!;
      must(spanMs >= WINDOW_MS, `5 starts within ${spanMs} ms; the limit is 4 in ${WINDOW_MS} ms`);
    }
  },
  "S6.1 asking again when a refusal says so is worth it, and that is no longer than a window": async (desk) => {
    await mustDispatch(desk, [request(2)], "the first start");
    await desk.advance(300);
    await mustDispatch(desk, [request(2)], "the second start");
    const { retryAfterMs } = await mustRefuse(desk, [request(2)], "the third start");
    must(retryAfterMs <= WINDOW_MS, `a refusal asks to wait ${retryAfterMs} ms; a window has ${WINDOW_MS} ms`);
    await desk.advance(retryAfterMs);
    await mustDispatch(desk, [request(2)], "when the refusal said");
  },
  "S6.2 a refused request consumes nothing, however often it is made": async (desk) => {
    await mustDispatch(desk, [request(1)], "the first start");
    for (let time = 0; time < 10; time++) {
      await desk.advance(90);
      await mustRefuse(desk, [request(1)], "within the window");
    }
    await desk.advance(100);
    await mustDispatch(desk, [request(1)], "one window after the only start");
  },
  "S6.2 limits are taken all together or not at all": async (desk) => {
    const [full, roomy] = [request(1, WINDOW_MS, "action:ACT"), request(3, WINDOW_MS, "global")];
    await mustDispatch(desk, [roomy, full], "the first of both");
    for (const requests of [
      [roomy, full],
      [full, roomy],
    ]) {
      for (let time = 0; time < 5; time++) await mustRefuse(desk, requests, "one of the two is full");
    }
    await mustDispatch(desk, [roomy], "what the refused requests did not consume");
    await mustDispatch(desk, [roomy], "what the refused requests did not consume");
    await mustRefuse(desk, [roomy], "three starts of three");
  },
  "S6.2 keys have nothing to do with one another": async (desk) => {
    for (const key of ["global", "action:ACT", "action:EXIT", "__proto__", "constructor"]) {
      await mustDispatch(desk, [request(1, WINDOW_MS, key)], `the first start of ${key}`);
    }
  },
  "S6.1 of many requests at the same time, as many are granted as the limit says": async (desk) => {
    const verdicts = await Promise.all(Array.from({ length: 40 }, () => acquire(desk, [request(7)])));
    mustEqual(verdicts.filter((verdict) => verdict.granted).length, 7, "granted of 40 at once");
  },
  "S4.7 windows above 2^31−1 ms hold": async (desk) => {
    const rare = [request(1, 30 * DAY_MS)];
    await mustDispatch(desk, rare, "the first start");
    const { retryAfterMs } = await mustRefuse(desk, rare, "at the same time");
    must(retryAfterMs > 29 * DAY_MS, `a refusal asks to wait ${retryAfterMs} ms of 30 days`);
    await desk.advance(30 * DAY_MS - 1);
    await mustRefuse(desk, rare, "1 ms before the 30 days are over");
    await desk.advance(1);
    await mustDispatch(desk, rare, "after 30 days");
  },
};

function stampCases(stamps: boolean): Cases<RateLimiterUnderTest> {
  if (stamps) {
    return {
      "S6.1 a permit counts from its stamp, not from its grant": async (desk) => {
        const permit = await granted(desk, [request(1)]);
        await desk.advance(600);
        must(permit.dispatched !== undefined, "the permit has no `dispatched`: declare `stamps: false`");
        permit.dispatched(desk.clock.monotonic());
        await desk.advance(WINDOW_MS - 1);
        await mustRefuse(desk, [request(1)], "1 ms before a window after the stamp");
        await desk.advance(1);
        await mustDispatch(desk, [request(1)], "one window after the stamp");
      },
      "S6.1 a permit that is neither stamped nor handed back stays occupied": async (desk) => {
        await granted(desk, [request(1)]);
        await desk.advance(5 * WINDOW_MS);
        await mustRefuse(desk, [request(1)], "while a permit is open");
      },
      "S6.1 a permit is stamped once": async (desk) => {
        const permit = await granted(desk, [request(2)]);
        permit.dispatched?.(desk.clock.monotonic());
        await desk.advance(500);
        permit.dispatched?.(desk.clock.monotonic());
        await mustDispatch(desk, [request(2)], "the second of two");
        await desk.advance(500);
        await mustDispatch(desk, [request(2)], "one window after the first stamp");
      },
    };
  }
  return {
    "S6.1 (no `stamps`) a permit counts from its grant for one whole window": async (desk) => {
      const permit = await granted(desk, [request(1)]);
      must(permit.dispatched === undefined, "the permit has `dispatched`: declare `stamps: true`");
      await desk.advance(WINDOW_MS - 1);
      await mustRefuse(desk, [request(1)], "1 ms before the window is over");
      await desk.advance(1);
      await mustDispatch(desk, [request(1)], "one window after the grant");
    },
  };
}

function cancelCases(cancel: boolean): Cases<RateLimiterUnderTest> {
  if (cancel) {
    return {
      "S6.3 a permit that is handed back is free again, for all its keys": async (desk) => {
        const both = [request(1, WINDOW_MS, "global"), request(1, WINDOW_MS, "action:ACT")];
        const permit = await granted(desk, both);
        must(permit.cancel !== undefined, "the permit has no `cancel`: declare `cancel: false`");
        permit.cancel();
        await mustDispatch(desk, both, "after the only permit was handed back");
      },
      "S6.3 a permit is handed back once, and not after its dispatch": async (desk) => {
        const first = await granted(desk, [request(2)]);
        const second = await granted(desk, [request(2)]);
        first.cancel?.();
        first.cancel?.();
        await mustDispatch(desk, [request(2)], "in place of the one handed back");
        await mustRefuse(desk, [request(2)], "although one was handed back twice");
        second.dispatched?.(desk.clock.monotonic());
        second.cancel?.();
        await mustRefuse(desk, [request(2)], "although one was handed back after its dispatch");
      },
    };
  }
  return {
    "S6.3 (no `cancel`) a permit that is not used counts all the same": async (desk) => {
      const permit = await granted(desk, [request(1)]);
      must(permit.cancel === undefined, "the permit has `cancel`: declare `cancel: true`");
      await mustRefuse(desk, [request(1)], "while the only permit is unused");
    },
  };
}

function sharedCases(shared: boolean): Cases<RateLimiterUnderTest> {
  if (shared) {
    return {
      "S6.4 two connections to one limiter share its counts": async (desk) => {
        must(desk.subject.another !== undefined, "`shared` needs `another()`, or declare `shared: false`");
        const limiters = [desk.subject.rateLimiter, await desk.subject.another()];
        const verdicts = await Promise.all(
          Array.from({ length: 20 }, (_, which) => dispatches(desk, [request(3)], limiters[which % 2])),
        );
        mustEqual(verdicts.filter((isGranted) => isGranted).length, 3, "granted of 20 through two connections");
      },
    };
  }
  return {
    "S6.4 (not `shared`) a limiter that is opened anew has counted nothing": async (desk) => {
      await mustDispatch(desk, [request(1)], "the first start");
      const { rateLimiter } = await desk.openAnother();
      must(await dispatches(desk, [request(1)], rateLimiter), "the first start of another limiter must be granted");
    },
  };
}

/** What every `RateLimiter` must do, as cases for any test runner. Source: S6. */
export function rateLimiterContract(
  open: Open<RateLimiterUnderTest>,
  { stamps = true, cancel = true, shared = true }: RateLimiterCapabilities = {},
): ContractCase[] {
  return contractCases(open, {
    ...WINDOW_CASES,
    ...stampCases(stamps),
    ...cancelCases(cancel),
    ...sharedCases(shared),
  });
}
