import { draw } from "../../draw.js";
import type { Cases } from "../contract-case.js";
import { must, mustEqual } from "../expectations.js";
import {
  acquire,
  dispatches,
  type LimiterDesk,
  mustDispatch,
  mustRefuse,
  type RateLimiterUnderTest,
  request,
} from "./limiter-desk.js";

const DAY_MS = 86_400_000;

/** What is granted, and when. */
export const WINDOW_CASES: Cases<RateLimiterUnderTest> = {
  "S6.1 grants as many as the limit says, and then refuses": async (desk) => {
    for (let start = 0; start < 3; start++) await mustDispatch(desk, [request(desk, 3)], `start ${start} of 3`);
    await mustRefuse(desk, [request(desk, 3)], "start 4 of 3");
  },
  "S6.1 windows are half-open: a start exactly one window later is fine, a moment earlier is not": async (desk) => {
    const { windowMs, tickMs } = desk.spans;
    await mustDispatch(desk, [request(desk, 1)], "the first start");
    await desk.advance(windowMs - tickMs);
    await mustRefuse(desk, [request(desk, 1)], `${tickMs} ms before the window is over`);
    await desk.advance(tickMs);
    await mustDispatch(desk, [request(desk, 1)], "exactly one window later");
  },
  "S6.1 windows slide: a burst at the end of one and another at the beginning of the next are one burst": async (
    desk,
  ) => {
    const { windowMs, tickMs } = desk.spans;
    await mustDispatch(desk, [request(desk, 3)], "a first start");
    await desk.advance(windowMs - tickMs);
    await mustDispatch(desk, [request(desk, 3)], "a start at the end of the window");
    await mustDispatch(desk, [request(desk, 3)], "another");
    await desk.advance(tickMs);
    await mustDispatch(desk, [request(desk, 3)], "one window after the first");
    await mustRefuse(desk, [request(desk, 3)], `${tickMs} ms after two others and with a third`);
  },
  "S6.1 no window of any length has more starts than the limit, however the starts come": async (desk) => {
    const starts = await startsAtRandom(desk, 4);
    const { windowMs } = desk.spans;
    for (let last = 4; last < starts.length; last++) {
      const spanMs = starts[last]! - starts[last - 4]!;
      must(spanMs + desk.aheadMs() >= windowMs, `5 starts within ${spanMs} ms; the limit is 4 in ${windowMs} ms`);
    }
  },
  "S6.1 asking again when a refusal says so is worth it, and that is no longer than a window": async (desk) => {
    const { windowMs } = desk.spans;
    await mustDispatch(desk, [request(desk, 2)], "the first start");
    await desk.advance(0.3 * windowMs);
    await mustDispatch(desk, [request(desk, 2)], "the second start");
    const { retryAfterMs } = await mustRefuse(desk, [request(desk, 2)], "the third start");
    must(retryAfterMs <= windowMs, `a refusal asks to wait ${retryAfterMs} ms; a window has ${windowMs} ms`);
    await desk.advance(retryAfterMs);
    await mustDispatch(desk, [request(desk, 2)], "when the refusal said");
  },
  "S6.1 every start counts in every window that a key has been asked for with, however short its own": async (desk) => {
    const { windowMs } = desk.spans;
    const short = request(desk, 9);
    const long = { ...short, limit: 3, windowMs: 4 * windowMs };
    await mustDispatch(desk, [long], "the first start, under the long window");
    await desk.advance(2 * windowMs);
    await mustDispatch(desk, [short], "the second start, under the short window");
    await desk.advance(1.5 * windowMs);
    await mustDispatch(desk, [short], "the third start, under the short window");
    await mustRefuse(desk, [long], "the fourth start within the long window");
    await desk.advance(windowMs);
    // The only start that was asked for with the long window has left it.
    await mustDispatch(desk, [short], "the fourth start, under the short window");
    await mustRefuse(desk, [long], "the fourth start within the long window again");
    await desk.advance(1.5 * windowMs);
    await mustDispatch(desk, [long], "when the second start has left the long window");
  },
  "S6.1 a start counts in a long window also where nothing has been granted under that": async (desk) => {
    const { windowMs } = desk.spans;
    const short = request(desk, 9);
    const long = { ...short, limit: 2, windowMs: 4 * windowMs };
    for (const start of ["first", "second"]) await mustDispatch(desk, [short], `the ${start} start`);
    await mustRefuse(desk, [long], "the third start within the long window");
    await desk.advance(1.5 * windowMs);
    await mustDispatch(desk, [short], "the third start");
    await mustRefuse(desk, [long], "the fourth start within the long window");
    await desk.advance(1.5 * windowMs);
    await mustRefuse(desk, [long], "the fourth start, still within the long window");
  },
  "S6.1 a long window counts every start in it also when it has not been asked with for longer than itself": async (
    desk,
  ) => {
    const { windowMs } = desk.spans;
    const short = request(desk, 9);
    const long = { ...short, limit: 3, windowMs: 4 * windowMs };
    await mustDispatch(desk, [long], "the first start, under the long window");
    for (let start = 0; start < 7; start++) {
      await desk.advance(windowMs);
      await mustDispatch(desk, [short], "a start under the short window");
    }
    await mustRefuse(desk, [long], "with four starts in the long window");
    await desk.advance(2.5 * windowMs);
    await mustDispatch(desk, [long], "with two starts left in the long window");
  },
  "S6.2 a refused request consumes nothing, however often it is made": async (desk) => {
    const { windowMs } = desk.spans;
    await mustDispatch(desk, [request(desk, 1)], "the first start");
    for (let time = 0; time < 10; time++) {
      await desk.advance(0.09 * windowMs);
      await mustRefuse(desk, [request(desk, 1)], "within the window");
    }
    await desk.advance(0.1 * windowMs);
    await mustDispatch(desk, [request(desk, 1)], "one window after the only start");
  },
  "S6.2 limits are taken all together or not at all": async (desk) => {
    const [full, roomy] = [request(desk, 1, "action:ACT"), request(desk, 3, "global")];
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
      await mustDispatch(desk, [request(desk, 1, key)], `the first start of ${key}`);
    }
  },
  "S6.1 of many requests at the same time, as many are granted as the limit says": async (desk) => {
    const verdicts = await Promise.all(Array.from({ length: 40 }, () => acquire(desk, [request(desk, 7)])));
    mustEqual(verdicts.filter((verdict) => verdict.granted).length, 7, "granted of 40 at once");
  },
  "S4.7 windows above 2^31−1 ms hold": async (desk) => {
    const { tickMs } = desk.spans;
    const rare = [{ key: "global", limit: 1, windowMs: 30 * DAY_MS }];
    await mustDispatch(desk, rare, "the first start");
    const { retryAfterMs } = await mustRefuse(desk, rare, "at the same time");
    must(retryAfterMs > 29 * DAY_MS, `a refusal asks to wait ${retryAfterMs} ms of 30 days`);
    await desk.advance(30 * DAY_MS - tickMs);
    await mustRefuse(desk, rare, `${tickMs} ms before the 30 days are over`);
    await desk.advance(tickMs);
    await mustDispatch(desk, rare, "after 30 days");
  },
};

const STEPS = 400;
/** Every step of an implementation in real time is several round trips. */
const REAL_STEPS = 100;

/** When dispatches started that came with pauses of every length. */
async function startsAtRandom(desk: LimiterDesk, limit: number): Promise<number[]> {
  const { windowMs, tickMs } = desk.spans;
  const steps = tickMs > 1 ? REAL_STEPS : STEPS;
  const starts: number[] = [];
  for (let step = 0; step < steps; step++) {
    await desk.advance(Math.trunc(draw(`pause ${step}`) ** 3 * 0.7 * windowMs));
    if (await dispatches(desk, [request(desk, limit)])) starts.push(desk.clock.monotonic());
  }
  must(starts.length > steps / 10, `only ${starts.length} permits were granted in ${desk.clock.monotonic()} ms`);
  return starts;
}
