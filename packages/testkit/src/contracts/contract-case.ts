import { createVirtualClock, type VirtualClock } from "../virtual-clock.js";

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
  /** Moves time where it is not the bench's clock that says what time it is: the clock of a database, a faked `Date`. */
  advance?(ms: number): void | Promise<void>;
  /** Called when the case is over. */
  close?(): void | Promise<void>;
}

/** Opens a fresh implementation, one for each case. */
export type Open<Subject extends UnderTest> = (bench: ContractBench) => Subject | Promise<Subject>;

/** What the body of a case works with. */
export interface Desk<Subject extends UnderTest> {
  readonly subject: Subject;
  readonly clock: VirtualClock;
  /** Moves all the time there is. */
  advance(ms: number): Promise<void>;
  /** Opens another implementation, which shares nothing with this one. */
  openAnother(): Promise<Subject>;
}

/** Bodies by name, in order. */
export type Cases<Subject extends UnderTest> = Readonly<Record<string, (desk: Desk<Subject>) => void | Promise<void>>>;

/** Cases that each open an implementation of their own, and close it whatever happens. */
export function contractCases<Subject extends UnderTest>(open: Open<Subject>, cases: Cases<Subject>): ContractCase[] {
  return Object.entries(cases).map(([name, body]) => ({ name, run: () => runCase(open, body) }));
}

async function runCase<Subject extends UnderTest>(
  open: Open<Subject>,
  body: (desk: Desk<Subject>) => void | Promise<void>,
): Promise<void> {
  const clock = createVirtualClock();
  const opened: Subject[] = [];
  const openAnother = async () => {
    const subject = await open({ clock });
    opened.push(subject);
    return subject;
  };
  try {
    // Driven by the clock, so that an implementation that hangs fails its case, and not the runner's patience.
    await clock.run(async () => {
      const subject = await openAnother();
      const advance = async (ms: number) => {
        await clock.advance(ms);
        await subject.advance?.(ms);
      };
      await body({ subject, clock, advance, openAnother });
    });
  } finally {
    for (const subject of opened) await subject.close?.();
  }
}
