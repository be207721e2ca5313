import { describe, expect, it } from "vitest";
import {
  createMemoryIdempotencyStore,
  type ExecutionContext,
  type ExecutionEvent,
  type ExecutionReport,
  execute,
  type FinalDecision,
} from "../../src/index.js";
import { createVirtualClock, readVectors, type VectorCase } from "../support.js";

interface Script {
  outcome: "ok" | "reject" | "raise" | "return";
  latency_ms: number;
  error_type?: string;
  return_value?: unknown;
  clock_jump_ms?: number;
}

interface Input {
  final_decision: FinalDecision;
  context: ExecutionContext;
  policy: {
    retry: { max_retries: number; initial_backoff_ms: number; max_backoff_ms: number; backoff_multiplier: number };
    timeout: { timeout_per_action_ms: number; max_total_time_ms: number };
    idempotency: { enabled: boolean };
    max_concurrency: number;
  };
  executor_script: Script[];
  clock: { start_ms: number };
}

const vectors = readVectors(new URL("../vectors/execute.json", import.meta.url));

describe("the reference's executions", () => {
  const cases = vectors.section("cases");

  it("are all here", () => {
    expect(cases).toHaveLength(347);
    expect(vectors.section("python_quirks")).toHaveLength(46);
  });

  for (const vector of cases) {
    const { name, expected } = vector;
    const input = vector.input as unknown as Input;
    const difference = DELIBERATE.find(({ when }) => when(input, expected));
    if (difference !== undefined) {
      it(`${name}: ${difference.because}`, async () => {
        expect((await run(input)).report).toMatchObject(difference.instead);
      });
      continue;
    }
    it(name, async () => {
      const ours = wireOf(await run(input));
      const theirs = expectationOf(expected);
      for (const field of Object.keys(theirs)) {
        if (!mayDiffer(vector, field)) expect({ [field]: ours[field] }).toEqual({ [field]: theirs[field] });
      }
    });
  }

  it("leave most fields to be compared", () => {
    const compared = cases.flatMap((vector) =>
      Object.keys(expectationOf(vector.expected)).filter((field) => !mayDiffer(vector, field)),
    );
    expect(compared.length).toBeGreaterThan(2700);
  });
});

describe("executions that only Python runs so", () => {
  for (const { name, input } of vectors.section("python_quirks")) {
    it(`${name}: ends in a report within its time, dispatching nothing that was not allowed`, async () => {
      const typed = input as unknown as Input;
      const { report, calls } = await run(typed);
      if ((typed.final_decision.allowed as unknown) !== true) expect(calls).toEqual([]);
      expect(report.totalLatencyMs).toBeLessThanOrEqual(typed.policy.timeout.max_total_time_ms + 1100);
      expect(["success", "failed", "denied", "unknown"]).toContain(report.status);
      if (typed.executor_script[0]?.outcome === "return") {
        expect(report).toMatchObject({ status: "unknown", attemptCount: 1, failClosed: true });
      }
    });
  }
});

/** Where the reference is not followed although the file has no gap for it: what decides, and what happens instead. */
const DELIBERATE: {
  because: string;
  when: (input: Input, expected: VectorCase["expected"]) => boolean;
  instead: Partial<ExecutionReport>;
}[] = [
  {
    because: "S1.5 HOLD is never dispatched",
    when: ({ final_decision }, { executor_calls }) => final_decision?.action === "HOLD" && executor_calls !== 0,
    instead: { status: "skipped", reason: "hold", skippedCount: 1, attemptCount: 0, failClosed: false },
  },
  {
    because: "S1.6 an `allowed` that is no boolean is an invalid decision",
    when: ({ final_decision, context }) =>
      context?.ops_deny_actions !== true && [0, 1].includes(final_decision?.allowed as unknown as number),
    instead: { status: "denied", reason: "invalid_decision", deniedCount: 1, attemptCount: 0, failClosed: true },
  },
  {
    because: "S1.2 a policy that is out of its range is refused",
    when: (input, { raises }) =>
      raises === null &&
      input.context.ops_deny_actions !== true &&
      outOfRange(input.policy) &&
      input.final_decision.allowed,
    instead: { status: "denied", reason: "invalid_policy", deniedCount: 1, attemptCount: 0, failClosed: true },
  },
  {
    because: "S3.10 an action that never got its time is counted as denied",
    when: ({ policy, context }) => context?.ops_deny_actions !== true && policy?.timeout?.max_total_time_ms === 0,
    instead: { status: "denied", reason: "deadline_exceeded", deniedCount: 1, attemptCount: 0, failClosed: true },
  },
  {
    because: "S4.2 an attempt does not outlast the deadline",
    when: ({ policy }, { executor_call_log }) =>
      (executor_call_log as { end_offset_ms: number }[]).some(
        ({ end_offset_ms }) => end_offset_ms > policy.timeout.max_total_time_ms + 100,
      ),
    instead: { status: "unknown", failClosed: true },
  },
  {
    because: "S1.7 throttle_ms delays the first dispatch",
    when: ({ final_decision }) => (final_decision?.throttle_ms ?? 0) > 0,
    instead: { status: "success", attemptCount: 1 },
  },
];

function outOfRange({ retry, timeout, max_concurrency }: Input["policy"]): boolean {
  const durations: unknown[] = [retry.initial_backoff_ms, retry.max_backoff_ms, timeout.max_total_time_ms];
  return durations.some((ms) => typeof ms !== "number" || ms < 0) || retry.max_retries < 0 || max_concurrency < 1;
}

async function run(input: Input) {
  const { final_decision, context, policy, executor_script, clock: start } = input;
  const clock = createVirtualClock({ startMs: start.start_ms });
  const events: ExecutionEvent[] = [];
  const calls: { start_offset_ms: number; end_offset_ms: number; outcome: string; action: string }[] = [];
  const report = await clock.run(() =>
    execute(
      final_decision,
      context,
      policy === null
        ? (policy as never)
        : {
            retry:
              policy.retry === null
                ? (policy.retry as never)
                : {
                    maxRetries: policy.retry.max_retries,
                    initialBackoffMs: policy.retry.initial_backoff_ms,
                    maxBackoffMs: policy.retry.max_backoff_ms,
                    backoffMultiplier: policy.retry.backoff_multiplier,
                  },
            timeout: {
              attemptTimeoutMs: policy.timeout.timeout_per_action_ms,
              maxTotalTimeMs: policy.timeout.max_total_time_ms,
            },
            idempotency: { enabled: policy.idempotency.enabled },
            maxConcurrency: policy.max_concurrency,
            defaultEffect: "idempotent",
          },
      async ({ action }) => {
        const step = executor_script[Math.min(calls.length, executor_script.length - 1)]!;
        const call = { start_offset_ms: clock.monotonic(), end_offset_ms: -1, outcome: step.outcome, action };
        calls.push(call);
        await clock.sleep(step.latency_ms);
        if (step.clock_jump_ms !== undefined) clock.stepWall(step.clock_jump_ms);
        call.end_offset_ms = clock.monotonic();
        if (step.outcome === "ok") return { ok: true };
        if (step.outcome === "reject") return { ok: false, code: "executor_failed" };
        if (step.outcome === "return") return step.return_value as never;
        throw new (errorClass(step.error_type ?? "Exception"))("boom");
      },
      { clock, idempotencyStore: createMemoryIdempotencyStore({ clock }), onEvent: (event) => events.push(event) },
    ),
  );
  return { report, calls, events };
}

function errorClass(name: string): new (message: string) => Error {
  return { [name]: class extends Error {} }[name]!;
}

/** The reference's wire form, one entry per field path of the vectors. */
function wireOf({ report, calls, events }: Awaited<ReturnType<typeof run>>): Record<string, unknown> {
  const failClosed = report.failClosed || report.status === "unknown";
  return {
    "report.attempts": report.attempts.map(attemptWire),
    ...countsOf(report, "report.", failClosed),
    ...countsOf(report, "external.exec.", failClosed),
    "external.exec.attempt_count": report.attemptCount,
    sleeps_ms: events.flatMap((event) =>
      event.type === "wait.finished" && event.cause === "backoff" ? [event.waitedMs] : [],
    ),
    executor_calls: calls.length,
    executor_call_log: calls,
  };
}

function countsOf(report: ExecutionReport, prefix: string, failClosed: boolean): Record<string, unknown> {
  return {
    [`${prefix}total_latency_ms`]: report.totalLatencyMs,
    [`${prefix}success_count`]: report.successCount,
    [`${prefix}failed_count`]: report.failedCount,
    [`${prefix}skipped_count`]: report.skippedCount,
    [`${prefix}denied_count`]: report.deniedCount,
    [`${prefix}fail_closed`]: failClosed,
  };
}

function attemptWire(attempt: ExecutionReport["attempts"][number]): unknown {
  const failed = attempt.status === "failed";
  return {
    action: attempt.action,
    status: attempt.status === "unknown" ? "failed" : attempt.status,
    attempt_number: attempt.attemptNumber,
    latency_ms: attempt.latencyMs,
    error_type: failed ? "executor_rejected" : (attempt.errorType ?? null),
    error_code: attempt.errorCode ?? null,
    error_message: null,
    idempotency_key: attempt.idempotencyKey ?? null,
  };
}

function expectationOf(expected: VectorCase["expected"]): Record<string, unknown> {
  const { report, external, sleeps_ms, executor_calls, executor_call_log } = expected as {
    [field: string]: unknown;
    report: Record<string, unknown> | null;
    external: Record<string, unknown> | null;
    sleeps_ms: number[];
  };
  return {
    ...prefixed("report.", report),
    ...prefixed("external.", external),
    sleeps_ms: sleeps_ms.filter((ms) => ms > 0),
    executor_calls,
    executor_call_log,
  };
}

function prefixed(prefix: string, fields: Record<string, unknown> | null): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields ?? {}).map(([key, value]) => [prefix + key, value]));
}

/** What the catalogue of gaps lets a fixed port change. */
function mayDiffer(vector: VectorCase, field: string): boolean {
  const allowed = ((vector as { fields_a_fix_may_change?: string[] }).fields_a_fix_may_change ?? []) as string[];
  return allowed.some(
    (pattern) =>
      pattern === "*" ||
      pattern === field ||
      pattern.startsWith(`${field}[]`) ||
      (pattern === "external.exec.*" && field.startsWith("external.exec.")),
  );
}
