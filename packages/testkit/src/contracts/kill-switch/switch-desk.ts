import type { KillSwitch, KillSwitchState } from "@eoc/core";
import type { Desk, UnderTest } from "../contract-case.js";
import { must, mustMatch } from "../expectations.js";

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

export type SwitchDesk = Desk<KillSwitchUnderTest>;

/** A read that has to answer one of the two states. */
export async function read({ subject }: SwitchDesk): Promise<KillSwitchState> {
  const state = await subject.killSwitch.read();
  must(typeof state === "object" && state !== null, "a read must answer a state");
  must(typeof state.halted === "boolean", "`halted` must be true or false, nothing that is like it");
  return state;
}

export async function mustSay(desk: SwitchDesk, halted: boolean, when: string): Promise<void> {
  mustMatch(await read(desk), { halted }, when);
}

/** Subscribes, and says what the listener hears. */
export function listen({ subject }: SwitchDesk): { heard: boolean[]; unsubscribe: () => void } {
  must(subject.killSwitch.subscribe !== undefined, "the switch has no `subscribe`: declare `subscribe: false`");
  const heard: boolean[] = [];
  const unsubscribe = subject.killSwitch.subscribe(({ halted }) => {
    heard.push(halted);
  });
  return { heard, unsubscribe };
}
