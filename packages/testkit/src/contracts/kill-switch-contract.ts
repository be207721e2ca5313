import type { KillSwitch, KillSwitchState } from "@eoc/core";
import { type Cases, type ContractCase, contractCases, type Desk, type Open, type UnderTest } from "./contract-case.js";
import { must, mustEqual, mustMatch } from "./expectations.js";

/** A kill switch under test, and the hand that throws it. */
export interface KillSwitchUnderTest extends UnderTest {
  readonly killSwitch: KillSwitch;
  /** Throws the switch. Resolves when readers and subscribers have to know. */
  halt(reason: string): void | Promise<void>;
  /** Flips it back. Needed by `clear`. */
  clear?(): void | Promise<void>;
  /** Cuts the switch off from where its state is kept. Needed by `outage`. */
  goDark?(): void | Promise<void>;
}

/** What a switch can do beyond the least. What it cannot is declared, and then the fallback is checked. */
export interface KillSwitchCapabilities {
  /** Tells its listeners. @defaultValue true */
  subscribe?: boolean;
  /** Can be flipped back. @defaultValue true */
  clear?: boolean;
  /** Keeps the reason of a halt. @defaultValue true */
  reason?: boolean;
  /** Its state is kept elsewhere, and may be out of reach. @defaultValue true */
  outage?: boolean;
}

type SwitchDesk = Desk<KillSwitchUnderTest>;

async function read({ subject }: SwitchDesk): Promise<KillSwitchState> {
  const state = await subject.killSwitch.read();
  must(typeof state === "object" && state !== null, "a read must answer a state");
  must(typeof state.halted === "boolean", "`halted` must be true or false, nothing that is like it");
  return state;
}

async function mustSay(desk: SwitchDesk, halted: boolean, when: string): Promise<void> {
  mustMatch(await read(desk), { halted }, when);
}

/** Subscribes, and says what the listener hears. */
function listen({ subject }: SwitchDesk): { heard: boolean[]; unsubscribe: () => void } {
  must(subject.killSwitch.subscribe !== undefined, "the switch has no `subscribe`: declare `subscribe: false`");
  const heard: boolean[] = [];
  const unsubscribe = subject.killSwitch.subscribe(({ halted }) => {
    heard.push(halted);
  });
  return { heard, unsubscribe };
}

const READ_CASES: Cases<KillSwitchUnderTest> = {
  "S2.2 a switch that nobody has thrown says so": (desk) => mustSay(desk, false, "the first read"),
  "S2.2 every read after a halt says halted": async (desk) => {
    await desk.subject.halt("test");
    for (let time = 0; time < 5; time++) {
      await mustSay(desk, true, `read ${time} after the halt`);
      await desk.advance(60_000);
    }
  },
  "S2.2 a halt that is given twice is a halt": async (desk) => {
    await desk.subject.halt("test");
    await desk.subject.halt("again");
    await mustSay(desk, true, "a read after two halts");
  },
  "S2.2 reads at the same time all say the same": async (desk) => {
    await desk.subject.halt("test");
    const states = await Promise.all(Array.from({ length: 20 }, () => read(desk)));
    must(
      states.every(({ halted }) => halted),
      "one of 20 reads at the same time did not say halted",
    );
  },
  "S2.2 what a reader does to the answer changes nothing": async (desk) => {
    await desk.subject.halt("test");
    const state = await read(desk);
    Reflect.set(state, "halted", false);
    await mustSay(desk, true, "a read after the answer of another was changed");
  },
  "S2.2 a switch that is opened anew has nothing to do with this one": async (desk) => {
    const other = await desk.openAnother();
    await other.halt("another switch");
    await mustSay(desk, false, "a read after another switch was thrown");
  },
};

function subscribeCases(subscribe: boolean): Cases<KillSwitchUnderTest> {
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
      must(heard.includes(true), "the listener has not heard of the halt");
      must(heard.at(-1) === true, "the last that the listener has heard is not the halt");
    },
    "S2.4 a listener that unsubscribed hears nothing more, and may unsubscribe twice": async (desk) => {
      const { heard, unsubscribe } = listen(desk);
      unsubscribe();
      unsubscribe();
      heard.length = 0;
      const other = listen(desk);
      await desk.subject.halt("test");
      mustEqual(heard, [], "heard after unsubscribing");
      must(other.heard.includes(true), "another listener has not heard of the halt");
    },
    "S2.4 a listener that throws keeps nobody else from hearing of a halt": async (desk) => {
      const before = listen(desk);
      desk.subject.killSwitch.subscribe?.(() => {
        throw new Error("a listener's own");
      });
      const after = listen(desk);
      await desk.subject.halt("test");
      must(before.heard.includes(true) && after.heard.includes(true), "a listener has not heard of the halt");
      await mustSay(desk, true, "a read after a listener threw");
    },
    "S2.4 a listener that leaves while it is told keeps nobody else from hearing of a halt": async (desk) => {
      const leaving: { unsubscribe?: () => void } = {};
      const unsubscribe = desk.subject.killSwitch.subscribe?.(() => leaving.unsubscribe?.());
      if (unsubscribe !== undefined) leaving.unsubscribe = unsubscribe;
      const others = [listen(desk), listen(desk)];
      await desk.subject.halt("test");
      must(
        others.every(({ heard }) => heard.includes(true)),
        "a listener has not heard of the halt",
      );
    },
  };
}

function clearCases(clear: boolean, subscribe: boolean): Cases<KillSwitchUnderTest> {
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
      await desk.subject.halt("test");
      await desk.subject.clear();
      await mustSay(desk, false, "a read after the switch was flipped back");
      must(
        heard === undefined || heard.at(-1) === false,
        "the listener has not heard that the switch was flipped back",
      );
      await desk.subject.halt("test");
      await mustSay(desk, true, "a read after the second halt");
      must(heard === undefined || heard.at(-1) === true, "the listener has not heard of the second halt");
    },
  };
}

function reasonCases(reason: boolean): Cases<KillSwitchUnderTest> {
  if (reason) {
    return {
      "S2.2 the reason of a halt is kept": async (desk) => {
        await desk.subject.halt("pool is empty");
        mustMatch(await read(desk), { reason: "pool is empty" }, "a read after the halt");
      },
    };
  }
  return {
    "S2.2 (no `reason`) a halt has none": async (desk) => {
      await desk.subject.halt("pool is empty");
      mustMatch(await read(desk), { reason: undefined }, "a read after the halt: declare `reason: true`");
    },
  };
}

function outageCases(outage: boolean): Cases<KillSwitchUnderTest> {
  if (!outage) {
    return {
      "S2.3 (no `outage`) every read is answered": async (desk) => {
        must(desk.subject.goDark === undefined, "the switch has `goDark`: declare `outage: true`");
        for (let time = 0; time < 100; time++) await mustSay(desk, false, `read ${time}`);
      },
    };
  }
  return {
    "S2.3 a switch that cannot reach its state never says that all is well": async (desk) => {
      must(desk.subject.goDark !== undefined, "`outage` needs `goDark()`, or declare `outage: false`");
      await mustSay(desk, false, "a read before the outage");
      await desk.subject.goDark();
      for (let time = 0; time < 3; time++) {
        must(
          (await answerInTheDark(desk)) !== false,
          "a read during the outage said `halted: false`: it must fail, or say halted",
        );
        await desk.advance(60_000);
      }
    },
  };
}

/** What a read says; undefined when it fails, or does not answer at all. */
async function answerInTheDark({ subject, clock }: SwitchDesk): Promise<boolean | undefined> {
  const answer = (async () => {
    try {
      return (await subject.killSwitch.read())?.halted;
    } catch {
      return undefined;
    }
  })();
  return Promise.race([answer, clock.sleep(30_000).then(() => undefined)]);
}

/** What every `KillSwitch` must do, as cases for any test runner. Source: S2. */
export function killSwitchContract(
  open: Open<KillSwitchUnderTest>,
  { subscribe = true, clear = true, reason = true, outage = true }: KillSwitchCapabilities = {},
): ContractCase[] {
  return contractCases(open, {
    ...READ_CASES,
    ...subscribeCases(subscribe),
    ...clearCases(clear, subscribe),
    ...reasonCases(reason),
    ...outageCases(outage),
  });
}
