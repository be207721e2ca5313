import type { Cases } from "../contract-case.js";
import { must, mustEqual } from "../expectations.js";
import { type KillSwitchUnderTest, listen, mustSay } from "./switch-desk.js";

/** Who hears of a halt. */
export function subscribeCases(subscribe: boolean): Cases<KillSwitchUnderTest> {
  if (!subscribe) {
    return {
      "S2.4 (no `subscribe`) the switch does not pretend to have one": ({ subject }) => {
        must(subject.killSwitch.subscribe === undefined, "the switch has `subscribe`: declare `subscribe: true`");
      },
    };
  }
  return {
    "S2.4 a listener hears of a halt": async (desk) => {
      const { heard } = listen(desk);
      await desk.subject.halt("test");
      must(await desk.eventually(() => heard.includes(true)), "the listener has not heard of the halt");
      must(heard.at(-1) === true, "the last that the listener has heard is not the halt");
    },
    "S2.4 a listener that unsubscribed hears nothing more, and may unsubscribe twice": async (desk) => {
      const { heard, unsubscribe } = listen(desk);
      unsubscribe();
      unsubscribe();
      heard.length = 0;
      const other = listen(desk);
      await desk.subject.halt("test");
      must(await desk.eventually(() => other.heard.includes(true)), "another listener has not heard of the halt");
      mustEqual(heard, [], "heard after unsubscribing");
    },
    "S2.4 a listener that throws keeps nobody else from hearing of a halt": async (desk) => {
      const before = listen(desk);
      desk.subject.killSwitch.subscribe?.(() => {
        throw new Error("a listener's own");
      });
      const after = listen(desk);
      await desk.subject.halt("test");
      const haveHeard = () => before.heard.includes(true) && after.heard.includes(true);
      must(await desk.eventually(haveHeard), "a listener has not heard of the halt");
      await mustSay(desk, true, "a read after a listener threw");
    },
    "S2.4 a listener that leaves while it is told keeps nobody else from hearing of a halt": async (desk) => {
      const leaving: { unsubscribe?: () => void } = {};
      const unsubscribe = desk.subject.killSwitch.subscribe?.(() => leaving.unsubscribe?.());
      if (unsubscribe !== undefined) leaving.unsubscribe = unsubscribe;
      const others = [listen(desk), listen(desk)];
      await desk.subject.halt("test");
      const haveHeard = () => others.every(({ heard }) => heard.includes(true));
      must(await desk.eventually(haveHeard), "a listener has not heard of the halt");
    },
  };
}

/** Whether a halt can be taken back. */
export function clearCases(clear: boolean, subscribe: boolean): Cases<KillSwitchUnderTest> {
  if (!clear) {
    return {
      "S2.2 (no `clear`) a halt is for ever": async (desk) => {
        must(desk.subject.clear === undefined, "the switch has `clear`: declare `clear: true`");
        await desk.subject.halt("test");
        await desk.advance(86_400_000);
        await mustSay(desk, true, "a read a day later");
      },
    };
  }
  return {
    "S2.2 a switch that was flipped back says so, and can be thrown again": async (desk) => {
      must(desk.subject.clear !== undefined, "`clear` needs `clear()`, or declare `clear: false`");
      const heard = subscribe ? listen(desk).heard : undefined;
      const hasHeardLast = (halted: boolean) => desk.eventually(() => heard === undefined || heard.at(-1) === halted);
      await desk.subject.halt("test");
      await desk.subject.clear();
      await mustSay(desk, false, "a read after the switch was flipped back");
      must(await hasHeardLast(false), "the listener has not heard that the switch was flipped back");
      await desk.subject.halt("test");
      await mustSay(desk, true, "a read after the second halt");
      must(await hasHeardLast(true), "the listener has not heard of the second halt");
    },
  };
}
