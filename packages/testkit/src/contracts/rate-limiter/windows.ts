import { draw } from "../../draw.js";
import type { Cases } from "../contract-case.js";
import { must, mustEqual } from "../expectations.js";
import {
  acquire,
  dispatches,
  mustDispatch,
  mustRefuse,
  type RateLimiterUnderTest,
  request,
  WINDOW_MS,
} from "./limiter-desk.js";

const DAY_MS = 86_400_000;

/** What is granted, and when. */
export const WINDOW_CASES: Cases<RateLimiterUnderTest> = {
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
