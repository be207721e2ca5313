import { type ExecutionEvent, type ExecutionReport, execute } from "@eoc/core";
import { createVirtualClock } from "@eoc/testkit";
import { expect } from "vitest";
import type { FakeInvocation } from "./fake-engine.js";
import { approvalOf, contextOf, decisionOf, policyOf, type Scenario } from "./scenario.js";
import { executorOf, type Sight } from "./scenario-executor.js";
import { journalOf, portsOf } from "./scenario-ports.js";
import { runDurably } from "./support.js";

/** When every scenario starts, on the wall clock. */
export const START_MS = 1_700_000_000_000;

/** What an execution leaves: everything that anybody outside could tell two of them apart by. */
export type Trace = ReturnType<typeof traceOf>;

function traceOf(report: ExecutionReport, events: ExecutionEvent[], journal: ExecutionEvent[], seen: Sight[]) {
  const values = report.actions.map(({ value }) => value);
  return { events: plain(events), journal: plain(journal), report: plain(report), values, seen };
}

function plain<T>(it: T): T {
  return JSON.parse(JSON.stringify(it));
}

async function inProcess(scenario: Scenario) {
  const clock = createVirtualClock({ startMs: START_MS, realWork: "none" });
  const [events, journal, seen]: [ExecutionEvent[], ExecutionEvent[], Sight[]] = [[], [], []];
  const approval = approvalOf(scenario, START_MS);
  const caller = new AbortController();
  const { cancelAtMs } = scenario;
  if (cancelAtMs === 0) caller.abort();
  else if (cancelAtMs !== undefined) clock.setTimer(() => caller.abort(), cancelAtMs);
  const report = await clock.run(() =>
    execute(decisionOf(scenario) as never, contextOf(scenario), policyOf(scenario), executorOf(scenario, clock, seen), {
      ...portsOf(scenario, clock),
      ...(approval && { approval }),
      ...(scenario.listens && { onEvent: (event) => events.push(event) }),
      ...journalOf(scenario, journal),
      signal: caller.signal,
      clock,
      executionId: "e-1",
    }),
  );
  await clock.runUntilIdle();
  return traceOf(report, events, journal, seen);
}

async function onTheEngine(scenario: Scenario) {
  const clock = createVirtualClock({ startMs: START_MS, realWork: "none" });
  const [events, journal, seen]: [ExecutionEvent[], ExecutionEvent[], Sight[]] = [[], [], []];
  const approval = approvalOf(scenario, START_MS);
  const { cancelAtMs } = scenario;
  let invocation: FakeInvocation | undefined;
  if (cancelAtMs) clock.setTimer(() => invocation!.cancel(), cancelAtMs);
  const { report } = await clock.run(() =>
    runDurably({
      clock,
      decision: decisionOf(scenario),
      context: contextOf(scenario),
      policy: policyOf(scenario),
      executor: executorOf(scenario, clock, seen),
      storeValues: true,
      ports: {
        ...portsOf(scenario, clock),
        ...(scenario.listens && { onEvent: (event) => events.push(event) }),
        ...journalOf(scenario, journal),
      },
      options: { executionId: "e-1", ...(approval && { approval }) },
      onInvocation: (begun) => {
        invocation = begun;
        if (cancelAtMs === 0) invocation.cancel();
      },
    }),
  );
  await clock.runUntilIdle();
  return traceOf(report, events, journal, seen);
}

/** A step is begun when it is awaited: of several things that one moment asks for, an abort may come before a call. */
function byAction({ seen, ...trace }: Trace): Trace {
  return { ...trace, seen: [...seen].sort((a, b) => a.action - b.action) };
}

/** Runs the scenario in one process twice, with and without a listener: what it does, and when, is the same. */
export async function expectUnheardTheSame(scenario: Scenario): Promise<void> {
  const [heard, unheard] = [
    await inProcess({ ...scenario, listens: true }),
    await inProcess({ ...scenario, listens: false }),
  ];
  expect({ ...unheard, events: heard.events }).toEqual(heard);
}

/** Runs the scenario on both drivers. Gives what they agree on. */
export async function expectTheSame(scenario: Scenario): Promise<Trace> {
  const [here, there] = [await inProcess(scenario), await onTheEngine(scenario)];
  expect(byAction(there)).toEqual(byAction(here));
  return there;
}
