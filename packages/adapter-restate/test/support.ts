import type {
  ExecutionContext,
  ExecutionEvent,
  ExecutionPolicyInput,
  ExecutionReport,
  Executor,
  FinalDecisionInput,
} from "@eoc/core";
import type { VirtualClock } from "@eoc/testkit";
import { runOn } from "../src/execute-durably.js";
import { registry } from "../src/live/registry.js";
import type { DurableExecuteOptions, DurableSettings } from "../src/options.js";
import { FakeInvocation, type Moment } from "./fake-engine.js";

export interface DurableCase extends DurableSettings {
  readonly clock: VirtualClock;
  readonly decision: FinalDecisionInput;
  readonly context?: ExecutionContext;
  readonly policy?: ExecutionPolicyInput;
  readonly executor: Executor;
  readonly options?: DurableExecuteOptions;
  /** Says at which moments the attempt is hit, and by what. */
  readonly hit?: (name: string, moment: Moment) => "service" | "server" | undefined;
  /** How long it takes until the handler runs again. */
  readonly downMs?: number;
  /** Called when the process is gone, with all that it knew. */
  readonly processDied?: () => void;
  readonly onInvocation?: (invocation: FakeInvocation) => void;
}

/** Runs an execution to its report, over as many attempts of the handler as it takes. Inside `clock.run`. */
export async function runDurably(given: DurableCase): Promise<{ report: ExecutionReport; invocation: FakeInvocation }> {
  const { clock, decision, context = {}, executor, ports, downMs = 10 } = given;
  let by: "service" | "server" | undefined;
  const invocation = new FakeInvocation({
    clock,
    hit: (name, moment) => {
      by = given.hit?.(name, moment);
      return by !== undefined;
    },
  });
  given.onInvocation?.(invocation);
  for (;;) {
    const attempt = invocation.attempt();
    const { storeValues, haltWatchMs } = given;
    const setup = {
      policy: given.policy ?? {},
      executor,
      ports: { ...ports, clock },
      ...(storeValues === undefined ? undefined : { storeValues }),
      ...(haltWatchMs === undefined ? undefined : { haltWatchMs }),
    };
    const run = runOn(attempt, { decision, context }, setup, given.options);
    const report = await Promise.race([run, attempt.hit.then(() => undefined)]);
    if (report !== undefined) return { report, invocation };
    if (by === "service") {
      registry.clear();
      given.processDied?.();
    }
    await clock.sleep(downMs);
  }
}

const TIMES = new Set([
  "atMs",
  "startedAtMs",
  "latencyMs",
  "waitedMs",
  "untilMs",
  "limitMs",
  "totalLatencyMs",
  "haltLatencyMs",
  "cooldownUntilMs",
  "retryAfterMs",
]);

/** Events without the times at which they happened. */
export function timeless(events: readonly ExecutionEvent[]): unknown[] {
  return JSON.parse(JSON.stringify(events, (key, value) => (TIMES.has(key) ? undefined : value)));
}
