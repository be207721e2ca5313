import type { Cases } from "../contract-case.js";
import { must } from "../expectations.js";
import { answers, claim, claimed, mustBeDone, mustBeRefused, type StoreUnderTest, started } from "./store-desk.js";

/** What time does to a claim. */
export const LEASE_CASES: Cases<StoreUnderTest> = {
  "S7.2 a lease holds until it runs out": async (desk) => {
    await claimed(desk, "claimed");
    await started(desk, "started");
    await desk.advance(desk.spans.leaseMs - desk.spans.marginMs);
    await answers(desk, "claimed", "in_progress", "before the lease has run out");
    await answers(desk, "started", "in_progress", "before the lease has run out");
  },
  "S7.2 a lease that ran out after the dispatch leaves the key in doubt": async (desk) => {
    await started(desk, "key");
    await desk.advance(desk.spans.leaseMs + desk.spans.marginMs);
    await answers(desk, "key", "unknown", "of a started key whose lease has run out");
    await desk.advance(100 * desk.spans.leaseMs);
    await answers(desk, "key", "unknown", "of a started key, long after its lease");
  },
  "S7.3 a renewed lease holds from its renewal on": async (desk) => {
    const token = await started(desk, "key");
    for (let round = 0; round < 3; round++) {
      await desk.advance(desk.spans.leaseMs - desk.spans.marginMs);
      mustBeDone(await desk.subject.store.renew("key", token, desk.spans.leaseMs), "renew");
    }
    await desk.advance(desk.spans.leaseMs - desk.spans.marginMs);
    await answers(desk, "key", "in_progress", "of a key whose lease was renewed");
    await desk.advance(2 * desk.spans.marginMs);
    await answers(desk, "key", "unknown", "of a key whose renewed lease has run out");
  },
  "S7.3 a renewal that comes too late does not bring a key in doubt back": async (desk) => {
    const token = await started(desk, "key");
    await desk.advance(desk.spans.leaseMs + desk.spans.marginMs);
    await desk.subject.store.renew("key", token, desk.spans.leaseMs);
    await answers(desk, "key", "unknown", "of a key whose lease had run out before it was renewed");
  },
  "S7.3 a renewal of what has no lease any more is refused: whoever hears that it was renewed dispatches": async (
    desk,
  ) => {
    const { store } = desk.subject;
    const lapsed = await started(desk, "lapsed");
    await desk.advance(desk.spans.leaseMs + desk.spans.marginMs);
    // Somebody looks: a store that goes by its callers' clocks is told the time by that.
    await answers(desk, "lapsed", "unknown", "of a key whose lease has run out");
    mustBeRefused(await store.renew("lapsed", lapsed, desk.spans.leaseMs), "renew of a key whose lease has run out");
    const marked = await started(desk, "marked");
    await store.markUnknown("marked", marked);
    mustBeRefused(await store.renew("marked", marked, desk.spans.leaseMs), "renew of a key that was marked unknown");
    await answers(desk, "marked", "unknown", "of a key in doubt that was renewed");
  },
  "S4.5 the owner of a key whose lease ran out may still say what became of it, while nobody else has it": async (
    desk,
  ) => {
    const token = await started(desk, "key");
    await desk.advance(desk.spans.leaseMs + desk.spans.marginMs);
    mustBeDone(
      await desk.subject.store.complete("key", token, { value: 1, ttlMs: desk.spans.ttlMs }),
      "complete after the lease",
    );
    await answers(desk, "key", "completed", "of a key that was completed late");
  },
  "S7.2 a completed record outlives its lease, up to its time to live": async (desk) => {
    const token = await started(desk, "key");
    await desk.subject.store.complete("key", token, { value: 1, ttlMs: desk.spans.ttlMs });
    await desk.advance(desk.spans.ttlMs - desk.spans.marginMs);
    await answers(desk, "key", "completed", "of a completed key within its time to live");
  },
};

/** Leases timed by the store's own clock, or by what the caller says. */
export function clockCases(ownClock: boolean): Cases<StoreUnderTest> {
  if (ownClock) {
    return {
      "S7.2 leases go by the store's own clock, whatever time the callers think it is": async (desk) => {
        const aheadMs = 2 * desk.spans.leaseMs;
        const nowMs = desk.clock.now();
        await claimed(desk, "key", { nowMs: nowMs - aheadMs });
        const ahead = { nowMs: nowMs + aheadMs };
        await answers(desk, "key", "in_progress", "by a caller whose clock is two leases ahead", ahead);
        await started(desk, "other");
        await answers(desk, "other", "in_progress", "by a caller whose clock is two leases ahead", ahead);
      },
      "S4.7 a step of the wall clock ends no lease and no record, and prolongs none": async (desk) => {
        const { store } = desk.subject;
        const { leaseMs, ttlMs, marginMs } = desk.spans;
        const waiting = await claimed(desk, "claimed");
        const running = await started(desk, "started");
        await store.complete("completed", await started(desk, "completed"), { value: 1, ttlMs });
        await desk.stepWall(2 * ttlMs);
        await answers(desk, "started", "in_progress", "after the wall clock was set forward");
        await answers(desk, "claimed", "in_progress", "after the wall clock was set forward");
        await answers(desk, "completed", "completed", "after the wall clock was set forward");
        mustBeDone(await store.start?.("claimed", waiting), "start after the wall clock was set forward");
        mustBeDone(await store.renew("started", running, leaseMs), "renew after the wall clock was set forward");
        await desk.stepWall(-4 * ttlMs);
        await desk.advance(leaseMs + marginMs);
        await answers(
          desk,
          "started",
          "unknown",
          "of a key whose lease has run out, the wall clock set back meanwhile",
        );
      },
    };
  }
  return {
    "S7.2 (no own clock) leases go by the time that the caller names": async (desk) => {
      await started(desk, "key");
      const nowMs = desk.clock.now() + 2 * desk.spans.leaseMs;
      await answers(desk, "key", "unknown", "by a caller two leases later", { nowMs });
    },
  };
}

/** What a claim is that has no lease any more. A store that goes by its callers' clocks is not told the time in these writes. */
const RESTART_CASES: Cases<StoreUnderTest> = {
  "S7.3 no dispatch is started under a lease that has run out, whatever it had started before": async (desk) => {
    const token = await started(desk, "key");
    const { store } = desk.subject;
    mustBeDone(await store.start!("key", token), "start of another dispatch under the same claim");
    await desk.advance(desk.spans.leaseMs + desk.spans.marginMs);
    must((await store.start!("key", token)) === false, "start must be refused when the lease has run out");
    await answers(desk, "key", "unknown", "of a key whose lease had run out before another start");
    await store.markUnknown("key", token);
    must((await store.start!("key", token)) === false, "start must be refused of a key that was marked unknown");
    await answers(desk, "key", "unknown", "of a key that was marked unknown and then started");
  },
};

/** What becomes of a claim that was never dispatched. */
export function startCases(start: boolean, ownClock: boolean): Cases<StoreUnderTest> {
  if (start) {
    return {
      ...(ownClock && RESTART_CASES),
      "S7.2 a lease that ran out before any dispatch is taken over, with the next token": async (desk) => {
        const first = await claimed(desk, "key");
        await desk.advance(desk.spans.leaseMs + desk.spans.marginMs);
        const second = await claimed(desk, "key", { when: "claim of a key whose lease ran out before any dispatch" });
        must(second !== first, "the token of the first claim was given again");
        const { store } = desk.subject;
        must((await store.start!("key", first)) === false, "start must be refused to whom the key was taken from");
        mustBeDone(await store.start!("key", second), "start by the new owner");
      },
      "S7.2 start marks the dispatch: from then on the key is in doubt when the lease runs out": async (desk) => {
        const token = await claimed(desk, "key");
        mustBeDone(await desk.subject.store.start!("key", token), "start");
        await desk.advance(desk.spans.leaseMs + desk.spans.marginMs);
        await answers(desk, "key", "unknown", "of a started key whose lease has run out");
      },
    };
  }
  return {
    "S7.2 (no `start`) any lease that ran out leaves the key in doubt": async (desk) => {
      must(desk.subject.store.start === undefined, "the store has `start`: declare `start: true`");
      await claimed(desk, "key");
      await desk.advance(desk.spans.leaseMs + desk.spans.marginMs);
      await answers(desk, "key", "unknown", "of a claimed key whose lease has run out");
    },
  };
}

/** What becomes of a completed record when its time is over. */
export function expiryCases(expiry: boolean): Cases<StoreUnderTest> {
  if (expiry) {
    return {
      "S7.2 a completed record is forgotten after its time to live, and the key is free": async (desk) => {
        const token = await started(desk, "key");
        await desk.subject.store.complete("key", token, { value: 1, ttlMs: desk.spans.ttlMs });
        await desk.advance(desk.spans.ttlMs + desk.spans.marginMs);
        await claimed(desk, "key", { fingerprint: "another payload", when: "claim after the record's time to live" });
      },
    };
  }
  return {
    "S7.2 (no `expiry`) a completed record is kept beyond its time to live": async (desk) => {
      const token = await started(desk, "key");
      await desk.subject.store.complete("key", token, { value: 1, ttlMs: desk.spans.ttlMs });
      await desk.advance(1000 * desk.spans.ttlMs);
      await answers(desk, "key", "completed", "long after the record's time to live");
    },
  };
}

/** Whether a key in doubt may be claimed when the caller has reason to (ADR 2). */
export function takeOverCases(takeOver: boolean): Cases<StoreUnderTest> {
  if (takeOver) {
    return {
      "S7.2 a key in doubt is taken over when the claim says so, by one, with the next token": async (desk) => {
        const { store } = desk.subject;
        const stale = await started(desk, "key");
        await store.markUnknown("key", stale);
        const verdicts = await Promise.all(Array.from({ length: 25 }, () => claim(desk, "key", { takeOver: true })));
        const owners = verdicts.filter(({ state }) => state === "claimed");
        must(owners.length === 1, `25 claims took a key in doubt over ${owners.length} times`);
        const { token } = owners[0] as { token: string | number };
        must(token !== stale, "the token of the first claim was given again");
        must(
          (await store.complete("key", stale, { value: "stale", ttlMs: desk.spans.ttlMs })) === false,
          "the former owner's complete must be refused",
        );
        mustBeDone(
          await store.complete("key", token, { value: "new", ttlMs: desk.spans.ttlMs }),
          "the new owner's complete",
        );
      },
      "S7.2 what was taken over is in doubt again when its lease runs out, started or not": async (desk) => {
        const { store } = desk.subject;
        await store.markUnknown("key", await started(desk, "key"));
        await claimed(desk, "key", { takeOver: true });
        await desk.advance(desk.spans.leaseMs + desk.spans.marginMs);
        await answers(desk, "key", "unknown", "after the lease of the claim that took it over");
      },
      "S7.2 nothing but a key in doubt is taken over": async (desk) => {
        await claimed(desk, "claimed", { takeOver: true });
        await answers(desk, "claimed", "in_progress", "taking over a claimed key", { takeOver: true });
        const token = await started(desk, "completed");
        await answers(desk, "completed", "in_progress", "taking over a started key", { takeOver: true });
        await desk.subject.store.complete("completed", token, { value: 1, ttlMs: desk.spans.ttlMs });
        await answers(desk, "completed", "completed", "taking over a completed key", { takeOver: true });
      },
    };
  }
  return {
    "S7.2 (no `takeOver`) a key in doubt is claimed by nobody, whatever the claim says": async (desk) => {
      const token = await started(desk, "key");
      await desk.subject.store.markUnknown("key", token);
      await answers(desk, "key", "unknown", "taking over a key in doubt", { takeOver: true });
    },
  };
}
