import { checkOptionNames, type ExecutionEvent, execute, type Journal, reportFromEvents } from "@eoc/core";
import { aContext, aDecision } from "../builders.js";
import { createScriptedExecutor } from "../scripted-executor.js";
import { rejects, succeeds, throws } from "../scripted-step.js";
import { type Cases, type ContractCase, contractCases, type Desk, type Open, type UnderTest } from "./contract-case.js";
import { type ContractTiming, silent, TIMING } from "./contract-time.js";
import { must, mustEqual } from "./expectations.js";

/** A journal under test, and a way to look into it. */
export interface JournalUnderTest extends UnderTest {
  readonly journal: Journal;
  /** Every event that was appended, as it was read back, in order. */
  read(): readonly ExecutionEvent[] | Promise<readonly ExecutionEvent[]>;
  /** Forgets whatever is not durable, as a crash does, and opens the same journal again. Needed by `durable`. */
  crash?(): JournalUnderTest | Promise<JournalUnderTest>;
  /** From now on nothing can be written any more. Needed by `outage`. */
  goDark?(): void | Promise<void>;
}

/** What a journal can do beyond the least. What it cannot is declared, and then the fallback is checked. */
export interface JournalCapabilities extends ContractTiming {
  /** Outlives the process. @defaultValue true */
  durable?: boolean;
  /** Writing may fail. @defaultValue true */
  outage?: boolean;
  /** Says `keepsOrder`: executions append to it without waiting. @defaultValue false */
  keepsOrder?: boolean;
}

type JournalDesk = Desk<JournalUnderTest>;

/** Whatever a disk takes. */
const PATIENT = { portTimeoutMs: 60_000, maxTotalTimeMs: 600_000 } as const;

/** Events of one execution, without any meaning but their order. */
function events(count: number, executionId = "execution-1", id = "action-0"): ExecutionEvent[] {
  return Array.from({ length: count }, (_, seq) => {
    const base = { seq, atMs: 1_700_000_000_000 + seq, executionId };
    const event: ExecutionEvent =
      seq % 2 === 0
        ? { ...base, type: "action.started", actionIndex: 0, id, action: "ACT" }
        : { ...base, type: "attempt.intended", actionIndex: 0, attemptNumber: 0, action: "ACT" };
    return Object.freeze(event);
  });
}

async function append({ subject }: JournalDesk, list: readonly ExecutionEvent[]): Promise<void> {
  for (const event of list) await subject.journal.append(event);
}

async function mustHold(subject: JournalUnderTest, expected: readonly ExecutionEvent[], when: string): Promise<void> {
  const found = await subject.read();
  mustEqual(found.length, expected.length, `number of events read back ${when}`);
  for (const [index, event] of expected.entries()) mustEqual(found[index], event, `event ${index} read back ${when}`);
}

const RECORD_CASES: Cases<JournalUnderTest> = {
  "S8.2 a new journal is empty": ({ subject }) => mustHold(subject, [], "from a new journal"),
  "S8.2 every event is read back as it was appended, in order": async (desk) => {
    const appended = events(200);
    await append(desk, appended);
    await mustHold(desk.subject, appended, "after 200 appends");
  },
  "S8.2 names that people give are kept to the letter": async (desk) => {
    const ids = ["two\nlines", 'tab\tand "quotes"', "ß 𝄞 \u2028 \u0007", "\\u0041", "{}", "", "x".repeat(10_000)];
    const appended = ids.flatMap((id, index) => events(1, `execution-${index}`, id));
    await append(desk, appended);
    await mustHold(desk.subject, appended, "with unusual names");
  },
  "S8.2 what is appended without waiting keeps its order, for every execution": async (desk) => {
    const [one, other] = [events(25, "one"), events(25, "other")];
    const appends: unknown[] = [];
    for (const [index, event] of one.entries())
      appends.push(desk.subject.journal.append(event), desk.subject.journal.append(other[index]!));
    await Promise.all(appends);
    const found = await desk.subject.read();
    mustEqual(found.length, 50, "number of events read back");
    for (const [id, expected] of [
      ["one", one],
      ["other", other],
    ] as const) {
      mustEqual(
        found.filter(({ executionId }) => executionId === id),
        expected,
        `events of the execution "${id}"`,
      );
    }
  },
  "S8.1 the report of an execution is rebuilt from what is read back": async (desk) => {
    const { subject, executionClock: clock } = desk;
    const actions = [0, 1, 2].map(() => ({ action: "ACT" as const }));
    const executor = createScriptedExecutor([rejects("busy"), succeeds(), throws()]);
    const policy = { onFailure: "continue", retry: { initialBackoffMs: 1 }, timeout: PATIENT } as const;
    const report = await execute(aDecision({ actions }), aContext(), policy, executor, {
      ...(clock && { clock }),
      journal: subject.journal,
      executionId: "execution-1",
    });
    must(report.recordError === undefined, "the execution could not be recorded");
    mustEqual(
      reportFromEvents(await subject.read()),
      JSON.parse(JSON.stringify(report)),
      "the report from what is read back",
    );
  },
  "S8.2 a journal that is opened anew has nothing to do with this one": async (desk) => {
    await append(desk, events(3));
    await mustHold(await desk.openAnother(), [], "from another journal");
    await mustHold(desk.subject, events(3), "after another was opened");
  },
};

function durableCases(durable: boolean): Cases<JournalUnderTest> {
  if (!durable) {
    return {
      "S8.2 (not `durable`) the journal does not pretend to survive a crash": ({ subject }) => {
        must(subject.crash === undefined, "the journal has `crash`: declare `durable: true`");
      },
    };
  }
  return {
    "S8.2 what has been appended survives a crash, event by event": async (desk) => {
      must(desk.subject.crash !== undefined, "`durable` needs `crash()`, or declare `durable: false`");
      const appended = events(7);
      let { subject } = desk;
      for (const [index, event] of appended.entries()) {
        await subject.journal.append(event);
        must(subject.crash !== undefined, "a journal that was opened again must be able to crash again");
        subject = await subject.crash();
        await mustHold(subject, appended.slice(0, index + 1), `after a crash behind event ${index}`);
      }
      await subject.close?.();
    },
  };
}

function outageCases(outage: boolean): Cases<JournalUnderTest> {
  if (!outage) {
    return {
      "S8.2 (no `outage`) every append succeeds": async (desk) => {
        must(desk.subject.goDark === undefined, "the journal has `goDark`: declare `outage: true`");
        await append(desk, events(1000));
        await mustHold(desk.subject, events(1000), "after 1,000 appends");
      },
    };
  }
  return {
    "S8.2 an append that cannot be written fails, or never ends; it does not succeed": async (desk) => {
      const { subject } = desk;
      must(subject.goDark !== undefined, "`outage` needs `goDark()`, or declare `outage: false`");
      await append(desk, events(2));
      await subject.goDark();
      for (const event of events(4).slice(2)) {
        const appended = (async () => subject.journal.append(event))();
        const outcome = await desk.within(
          appended.then(
            () => "succeeded",
            () => "failed",
          ),
        );
        must(outcome === "failed" || outcome === silent, "an append succeeded although nothing could be written");
      }
    },
    "S8.2 nothing is dispatched when the intent cannot be written": async (desk) => {
      const { subject, executionClock: clock, portTimeoutMs } = desk;
      must(subject.goDark !== undefined, "`outage` needs `goDark()`, or declare `outage: false`");
      await subject.goDark();
      const executor = createScriptedExecutor([succeeds()]);
      const options = { ...(clock && { clock }), journal: subject.journal };
      const report = await execute(aDecision(), aContext(), { timeout: { portTimeoutMs } }, executor, options);
      mustEqual([executor.calls.length, report.reason], [0, "journal_unavailable"], "dispatches and reason");
    },
  };
}

function orderCases({
  keepsOrder = false,
  durable = true,
  outage = true,
}: JournalCapabilities): Cases<JournalUnderTest> {
  if (!keepsOrder) {
    return {
      "S8.2 (no `keepsOrder`) the journal does not ask executions to append without waiting": ({ subject }) => {
        must(subject.journal.keepsOrder !== true, "the journal says `keepsOrder`: declare `keepsOrder: true`");
      },
    };
  }
  const always: Cases<JournalUnderTest> = {
    "S8.2 appends that are under way are answered in the order of the calls": async ({ subject }) => {
      must(subject.journal.keepsOrder === true, "the journal must say `keepsOrder`, or declare `keepsOrder: false`");
      const appended = events(50);
      const answered: number[] = [];
      await Promise.all(
        appended.map(async (event) => {
          await subject.journal.append(event);
          answered.push(event.seq);
        }),
      );
      mustEqual(
        answered,
        appended.map(({ seq }) => seq),
        "the order of the answers",
      );
      await mustHold(subject, appended, "after 50 appends at once");
    },
  };
  const afterCrash: Cases<JournalUnderTest> = {
    "S8.2 what is answered survives a crash, and so does all that was appended before it": async ({ subject }) => {
      must(subject.crash !== undefined, "`durable` needs `crash()`, or declare `durable: false`");
      const appended = events(20);
      const appends = appended.map(async (event) => subject.journal.append(event));
      for (const append of appends) append.catch(() => {});
      await appends[9];
      const again = await subject.crash();
      const found = await again.read();
      must(found.length >= 10, `only ${found.length} of the 10 events that were answered are read back`);
      await mustHold(again, appended.slice(0, found.length), "after a crash");
      await again.close?.();
    },
  };
  const afterFailure: Cases<JournalUnderTest> = {
    "S8.2 of the appends that are under way none succeeds after one that does not": async (desk) => {
      const { subject } = desk;
      must(subject.goDark !== undefined, "`outage` needs `goDark()`, or declare `outage: false`");
      const all = events(8);
      const start = (event: ExecutionEvent) => (async () => subject.journal.append(event))();
      const appends = all.slice(0, 4).map(start);
      const dark = subject.goDark();
      appends.push(...all.slice(4).map(start));
      await dark;
      const outcomes = await Promise.all(
        appends.map((append) =>
          desk.within(
            append.then(
              () => "succeeded",
              () => "failed",
            ),
          ),
        ),
      );
      const firstLost = outcomes.findIndex((outcome) => outcome !== "succeeded");
      must(firstLost >= 0, "an append succeeded although nothing could be written");
      must(!outcomes.slice(firstLost).includes("succeeded"), "an append succeeded although one before it did not");
    },
  };
  return { ...always, ...(durable ? afterCrash : undefined), ...(outage ? afterFailure : undefined) };
}

/**
 * What every `Journal` must do, as cases for any test runner. Source: S8.
 * @throws EocError `invalid_option`
 */
export function journalContract(open: Open<JournalUnderTest>, capabilities: JournalCapabilities = {}): ContractCase[] {
  checkOptionNames(capabilities, { ...TIMING, durable: true, outage: true, keepsOrder: true });
  const { durable = true, outage = true } = capabilities;
  const cases = { ...durableCases(durable), ...outageCases(outage), ...orderCases(capabilities) };
  return contractCases(open, { ...RECORD_CASES, ...cases }, capabilities);
}
