import { type Clock, createSystemClock } from "@eoc/core";

/** A clock that knows how many of its timers are armed. */
export function countingClock(): { readonly clock: Clock; armed(): number } {
  const clock = createSystemClock();
  let armed = 0;
  return {
    armed: () => armed,
    clock: {
      ...clock,
      setTimer(callback: () => void, delayMs: number) {
        armed++;
        let open = true;
        const close = () => {
          if (open) armed--;
          open = false;
        };
        const cancel = clock.setTimer(() => {
          close();
          callback();
        }, delayMs);
        return () => {
          close();
          cancel();
        };
      },
    },
  };
}

/** How many sockets keep this process alive. */
export const sockets = () => process.getActiveResourcesInfo().filter((kind) => kind === "TCPSocketWrap").length;
