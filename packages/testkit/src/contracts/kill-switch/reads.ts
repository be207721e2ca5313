import type { Cases } from "../contract-case.js";
import { must, mustMatch } from "../expectations.js";
import { type KillSwitchUnderTest, listen, mustSay, read, type SwitchDesk } from "./switch-desk.js";

/** What a read says. */
export const READ_CASES: Cases<KillSwitchUnderTest> = {
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

/** Whether a halt has a reason. */
export function reasonCases(reason: boolean): Cases<KillSwitchUnderTest> {
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

/** What a read says when nobody knows. */
export function outageCases(outage: boolean, subscribe: boolean): Cases<KillSwitchUnderTest> {
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
      const heard = subscribe ? listen(desk).heard : [];
      await mustSay(desk, false, "a read before the outage");
      heard.length = 0;
      await goDark(desk);
      for (let time = 0; time < 3; time++) {
        must(
          (await answerInTheDark(desk)) !== false,
          "a read during the outage said `halted: false`: it must fail, or say halted",
        );
        await desk.advance(60_000);
      }
      must(!heard.includes(false), "a listener heard during the outage that all is well");
    },
    "S2.3 a switch that was thrown before it went out of reach never says that all is well": async (desk) => {
      await desk.subject.halt("test");
      await mustSay(desk, true, "a read before the outage");
      await goDark(desk);
      must((await answerInTheDark(desk)) !== false, "a read during the outage of a thrown switch said `halted: false`");
    },
  };
}

async function goDark({ subject }: SwitchDesk): Promise<void> {
  must(subject.goDark !== undefined, "`outage` needs `goDark()`, or declare `outage: false`");
  await subject.goDark();
}

/** What a read says; undefined when it fails, or does not answer at all. */
async function answerInTheDark({ subject, within }: SwitchDesk): Promise<boolean | undefined> {
  const answer = (async () => {
    try {
      return (await subject.killSwitch.read())?.halted;
    } catch {
      return undefined;
    }
  })();
  const said = await within(answer);
  return typeof said === "boolean" ? said : undefined;
}
