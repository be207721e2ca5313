import type { VirtualClock } from "../virtual-clock.js";
import { type CaseTime, type ContractTiming, createCaseTime } from "./contract-time.js";

/** One thing that an implementation has to do. Hand `name` and `run` to any test runner: `run` rejects when it does not. */
export interface ContractCase {
  readonly name: string;
  readonly run: () => Promise<void>;
}

/** What an implementation is opened with: time, for those that take it. */
export interface ContractBench {
  readonly clock: VirtualClock;
}

/** What every implementation under test may have. */
export interface UnderTest {
  /**
   * Moves time where it is not the bench's clock that says what time it is: a database's, a faked `Date`. Whatever can run
   * out has `ms` less left afterwards; rewriting the stored times will do.
   */
  advance?(ms: number): void | Promise<void>;
  /**
   * Steps the wall clock, back when negative, where it is not the bench's that the implementation could look at: the system's of a
   * process, a faked `Date`. Not for what has no other clock, such as a database. The contract of a store steps it.
   */
  stepWall?(ms: number): void | Promise<void>;
  /** Resolves when whatever was told without an answer (a stamp, a permit handed back) has arrived. */
  settle?(): void | Promise<void>;
  /** Called when the case is over. */
  close?(): void | Promise<void>;
}

/** Opens a fresh implementation, one for each case. */
export type Open<Subject extends UnderTest> = (bench: ContractBench) => Subject | Promise<Subject>;

/** What the body of a case works with. */
export interface Desk<Subject extends UnderTest> extends Omit<CaseTime, "drive"> {
  readonly subject: Subject;
  /** Moves all the time there is. */
  advance(ms: number): Promise<void>;
  /** Steps every wall clock that there is. */
  stepWall(ms: number): Promise<void>;
  /** Waits for what was told without an answer. */
  settle(): Promise<void>;
  /** Opens another implementation, which shares nothing with this one. */
  openAnother(): Promise<Subject>;
}

/** Bodies by name, in order. */
export type Cases<Subject extends UnderTest> = Readonly<Record<string, (desk: Desk<Subject>) => void | Promise<void>>>;

/** Cases that each open an implementation of their own, and close it whatever happens. */
export function contractCases<Subject extends UnderTest>(
  open: Open<Subject>,
  cases: Cases<Subject>,
  timing: ContractTiming = {},
): ContractCase[] {
  return Object.entries(cases).map(([name, body]) => ({ name, run: () => runCase(open, body, timing) }));
}

async function runCase<Subject extends UnderTest>(
  open: Open<Subject>,
  body: (desk: Desk<Subject>) => void | Promise<void>,
  timing: ContractTiming,
): Promise<void> {
  const { drive, ...time } = createCaseTime(timing);
  const opened: Subject[] = [];
  let isTimeOurs = false;
  const openAnother = async () => {
    const subject = await open({ clock: time.clock });
    opened.push(subject);
    return subject;
  };
  try {
    await drive(async () => {
      const subject = await openAnother();
      const advance = async (ms: number) => {
        isTimeOurs ||= subject.advance === undefined;
        await time.clock.advance(ms);
        await subject.advance?.(ms);
      };
      const stepWall = async (ms: number) => {
        time.clock.stepWall(ms);
        await subject.stepWall?.(ms);
      };
      const settle = async () => subject.settle?.();
      await body({ ...time, subject, advance, stepWall, settle, openAnother });
    });
  } catch (error) {
    if (timing.realTime && isTimeOurs && error instanceof Error) error.message += WHOSE_TIME;
    throw error;
  } finally {
    for (const subject of opened) await subject.close?.();
  }
}

const WHOSE_TIME = "\n(only the bench's clock was moved: an implementation that has its own must have `advance(ms)`)";
