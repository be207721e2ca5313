import { type ExecutionEvent, type ExecutionReport, execute } from "@eoc/core";
import { createVirtualClock } from "@eoc/testkit";
import { expect } from "vitest";
import { approvalOf, contextOf, decisionOf, policyOf, type Scenario } from "./scenario.js";
import { executorOf } from "./scenario-executor.js";
import { journalOf, portsOf } from "./scenario-ports.js";
import { runDurably, timeless } from "./support.js";

const START_MS = 1_700_000_000_000;

/** What an execution leaves: everything that anybody outside could tell two of them apart by, but for times. */
export type Trace = ReturnType<typeof traceOf>;

function traceOf(report: ExecutionReport, events: ExecutionEvent[], journal: ExecutionEvent[], seen: string[]) {
  const values = report.actions.map(({ value }) => value);
  return { events: timeless(events), journal: timeless(journal), report: timeless([report as never]), values, seen };
}

async function inProcess(scenario: Scenario) {
  const clock = createVirtualClock({ startMs: START_MS, realWork: "none" });
  const [events, journal, seen]: [ExecutionEvent[], ExecutionEvent[], string[]] = [[], [], []];
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
  const [events, journal, seen]: [ExecutionEvent[], ExecutionEvent[], string[]] = [[], [], []];
  const approval = approvalOf(scenario, START_MS);
  const { cancelAtMs } = scenario;
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
      onInvocation: (invocation) => {
        if (cancelAtMs === 0) invocation.cancel();
        else if (cancelAtMs !== undefined) clock.setTimer(() => invocation.cancel(), cancelAtMs);
      },
    }),
  );
  await clock.runUntilIdle();
  return traceOf(report, events, journal, seen);
}

/** A step is begun when it is awaited: of several things that one moment asks for, an abort may come before a call. */
function byAction({ seen, ...trace }: Trace): Trace {
  const actionOf = (call: string) => Number(call.replace(/^(e-1|reconcile) /, "").split(" ")[0]);
  return { ...trace, seen: [...seen].sort((a, b) => actionOf(a) - actionOf(b)) };
}

/** Runs the scenario on both drivers. Gives what they agree on. */
export async function expectTheSame(scenario: Scenario): Promise<Trace> {
  const [here, there] = [await inProcess(scenario), await onTheEngine(scenario)];
  expect(byAction(there)).toEqual(byAction(here));
  return there;
}
