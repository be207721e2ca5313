import type { RateLimiter } from "@eoc/core";
import type { MachineTime } from "./machine-time.js";
import type { StoredGrant } from "./protocol.js";
import type { StoreThread } from "./store-thread.js";
import { storedText } from "./stored-text.js";

/**
 * An exact sliding log (S6.1) that all processes with the file share. It goes by the machine's monotonic clock and not by the
 * callers' times, which have no common origin.
 */
export function createSqliteRateLimiter(thread: StoreThread, time: MachineTime): RateLimiter {
  return {
    async acquire(requests) {
      const limits = requests.map(({ key, limit, windowMs }) => [storedText(key), limit, windowMs] as const);
      const tooLate = (late: StoredGrant) => {
        if ("permit" in late) thread.note("cancel", late.permit);
      };
      const grant = await thread.requestOwned(tooLate, "acquire", limits);
      if (!("permit" in grant)) return { granted: false, ...grant };
      const { permit } = grant;
      let isOpen = true;
      return {
        granted: true,
        dispatched() {
          if (!isOpen) return;
          isOpen = false;
          // When the executor has been called, not just before: the stamp is never earlier than the start.
          queueMicrotask(() => thread.note("stamp", permit, time.monotonicMs()));
        },
        cancel() {
          if (!isOpen) return;
          isOpen = false;
          thread.note("cancel", permit);
        },
      };
    },
  };
}
