import type { RateLimiter } from "@eoc/core";
import type { Cases } from "../contract-case.js";
import { must, mustEqual } from "../expectations.js";
import {
  acquire,
  dispatches,
  granted,
  handBack,
  type LimiterDesk,
  mustDispatch,
  mustRefuse,
  type RateLimiterUnderTest,
  request,
  stamp,
} from "./limiter-desk.js";

/** From when a permit counts. */
export function stampCases(stamps: boolean, permitLeaseMs: number | undefined): Cases<RateLimiterUnderTest> {
  if (stamps) {
    return {
      "S6.1 a permit counts from its stamp, not from its grant": async (desk) => {
        const { windowMs, tickMs } = desk.spans;
        const permit = await granted(desk, [request(desk, 1)]);
        await desk.advance(openMs(desk, permitLeaseMs));
        must(permit.dispatched !== undefined, "the permit has no `dispatched`: declare `stamps: false`");
        await stamp(desk, permit);
        await desk.advance(windowMs - tickMs);
        await mustRefuse(desk, [request(desk, 1)], `${tickMs} ms before a window after the stamp`);
        await desk.advance(tickMs);
        await mustDispatch(desk, [request(desk, 1)], "one window after the stamp");
      },
      ...openPermitCases(permitLeaseMs),
      "S6.1 a permit is stamped once": async (desk) => {
        const { windowMs } = desk.spans;
        const permit = await granted(desk, [request(desk, 2)]);
        await stamp(desk, permit);
        await desk.advance(0.5 * windowMs);
        await stamp(desk, permit);
        await mustDispatch(desk, [request(desk, 2)], "the second of two");
        await desk.advance(0.5 * windowMs);
        await mustDispatch(desk, [request(desk, 2)], "one window after the first stamp");
      },
    };
  }
  return {
    "S6.1 (no `stamps`) a permit counts from its grant for one whole window": async (desk) => {
      const { windowMs, tickMs } = desk.spans;
      const permit = await granted(desk, [request(desk, 1)]);
      must(permit.dispatched === undefined, "the permit has `dispatched`: declare `stamps: true`");
      await desk.advance(windowMs - tickMs);
      await mustRefuse(desk, [request(desk, 1)], `${tickMs} ms before the window is over`);
      await desk.advance(tickMs);
      await mustDispatch(desk, [request(desk, 1)], "one window after the grant");
    },
  };
}

/** For how long a permit stays open before it is stamped in a case. */
const openMs = ({ spans }: LimiterDesk, permitLeaseMs = Number.POSITIVE_INFINITY) =>
  Math.min(0.6 * spans.windowMs, Math.trunc(permitLeaseMs / 2));

/** What becomes of a permit whose holder is not heard of again. */
function openPermitCases(permitLeaseMs: number | undefined): Cases<RateLimiterUnderTest> {
  if (permitLeaseMs === undefined) {
    return {
      "S6.1 a permit that is neither stamped nor handed back stays occupied": async (desk) => {
        await granted(desk, [request(desk, 1)]);
        await desk.advance(5 * desk.spans.windowMs);
        await mustRefuse(desk, [request(desk, 1)], "while a permit is open");
      },
    };
  }
  return {
    "S6.1 a permit that is neither stamped nor handed back is taken for dispatched when its lease runs out": async (
      desk,
    ) => {
      const { windowMs, tickMs } = desk.spans;
      await granted(desk, [request(desk, 1)]);
      await desk.advance(permitLeaseMs + windowMs - tickMs);
      await mustRefuse(
        desk,
        [request(desk, 1)],
        "less than a window after its lease, by when it may have been dispatched",
      );
      await desk.advance(2 * tickMs);
      await mustDispatch(desk, [request(desk, 1)], "a window after its lease");
    },
  };
}

/** Whether a permit can be handed back. */
export function cancelCases(cancel: boolean): Cases<RateLimiterUnderTest> {
  if (cancel) {
    return {
      "S6.3 a permit that is handed back is free again, for all its keys": async (desk) => {
        const both = [request(desk, 1, "global"), request(desk, 1, "action:ACT")];
        const permit = await granted(desk, both);
        must(permit.cancel !== undefined, "the permit has no `cancel`: declare `cancel: false`");
        await handBack(desk, permit);
        await mustDispatch(desk, both, "after the only permit was handed back");
      },
      "S6.3 a permit is handed back once, and not after its dispatch": async (desk) => {
        const first = await granted(desk, [request(desk, 2)]);
        const second = await granted(desk, [request(desk, 2)]);
        await handBack(desk, first);
        await handBack(desk, first);
        await mustDispatch(desk, [request(desk, 2)], "in place of the one handed back");
        await mustRefuse(desk, [request(desk, 2)], "although one was handed back twice");
        await stamp(desk, second);
        await handBack(desk, second);
        await mustRefuse(desk, [request(desk, 2)], "although one was handed back after its dispatch");
      },
    };
  }
  return {
    "S6.3 (no `cancel`) a permit that is not used counts all the same": async (desk) => {
      const permit = await granted(desk, [request(desk, 1)]);
      must(permit.cancel === undefined, "the permit has `cancel`: declare `cancel: true`");
      await mustRefuse(desk, [request(desk, 1)], "while the only permit is unused");
    },
  };
}

/** Whose time it is. */
export function clockCases(ownClock: boolean): Cases<RateLimiterUnderTest> {
  if (ownClock) {
    return {
      "S6.4 windows go by the limiter's own clock: those of its callers have nothing in common": async (desk) => {
        const { windowMs } = desk.spans;
        const nowMs = desk.clock.monotonic();
        const first = await acquire(desk, [request(desk, 1)], undefined, nowMs + 10 * windowMs);
        must(first.granted, "the first permit must be granted");
        await stamp(desk, first, nowMs + 10 * windowMs);
        for (const callersMs of [nowMs, nowMs + 20 * windowMs]) {
          const verdict = await acquire(desk, [request(desk, 1)], undefined, callersMs);
          must(!verdict.granted, "within the window, by a caller with another clock: a permit must be refused");
        }
        await desk.advance(windowMs);
        const later = await acquire(desk, [request(desk, 1)], undefined, nowMs);
        must(later.granted, "one window later, by a caller whose clock stands still: a permit must be granted");
      },
    };
  }
  return {
    "S6.1 (no own clock) windows go by the time that the caller names": async (desk) => {
      const { windowMs } = desk.spans;
      await mustDispatch(desk, [request(desk, 1)], "the first start");
      const nowMs = desk.clock.monotonic() + windowMs;
      const verdict = await acquire(desk, [request(desk, 1)], undefined, nowMs);
      must(verdict.granted, "by a caller one window later: a permit must be granted, or declare `ownClock: true`");
    },
  };
}

/** Whether two connections share the counts. */
export function sharedCases(shared: boolean): Cases<RateLimiterUnderTest> {
  if (shared) {
    return {
      "S6.4 two connections to one limiter share its counts": async (desk) => {
        const limiters = await connections(desk);
        const verdicts = await Promise.all(
          Array.from({ length: 20 }, (_, which) => dispatches(desk, [request(desk, 3)], limiters[which % 2])),
        );
        mustEqual(verdicts.filter((isGranted) => isGranted).length, 3, "granted of 20 through two connections");
      },
      "S6.4 a window that began through one connection is over for the other at the same time": async (desk) => {
        const { windowMs, tickMs } = desk.spans;
        const [rateLimiter, other] = await connections(desk);
        must(await dispatches(desk, [request(desk, 1)], rateLimiter), "the first start must be granted");
        await desk.advance(windowMs - tickMs);
        const isEarly = await dispatches(desk, [request(desk, 1)], other);
        must(!isEarly, `${tickMs} ms before the window is over, through another connection: must be refused`);
        await desk.advance(tickMs);
        must(await dispatches(desk, [request(desk, 1)], other), "one window later, through another: must be granted");
      },
    };
  }
  return {
    "S6.4 (not `shared`) a limiter that is opened anew has counted nothing": async (desk) => {
      await mustDispatch(desk, [request(desk, 1)], "the first start");
      const { rateLimiter } = await desk.openAnother();
      must(
        await dispatches(desk, [request(desk, 1)], rateLimiter),
        "the first start of another limiter must be granted",
      );
    },
  };
}

async function connections({ subject }: LimiterDesk): Promise<[RateLimiter, RateLimiter]> {
  must(subject.another !== undefined, "`shared` needs `another()`, or declare `shared: false`");
  return [subject.rateLimiter, await subject.another()];
}
