import type { Cases } from "../contract-case.js";
import { must, mustEqual } from "../expectations.js";
import {
  dispatches,
  granted,
  mustDispatch,
  mustRefuse,
  type RateLimiterUnderTest,
  request,
  WINDOW_MS,
} from "./limiter-desk.js";

/** From when a permit counts. */
export function stampCases(stamps: boolean): Cases<RateLimiterUnderTest> {
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

/** Whether a permit can be handed back. */
export function cancelCases(cancel: boolean): Cases<RateLimiterUnderTest> {
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

/** Whether two connections share the counts. */
export function sharedCases(shared: boolean): Cases<RateLimiterUnderTest> {
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
