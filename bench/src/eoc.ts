import type { ExecuteFn, ExecuteOptions, ExecutionReport } from "@eoc/core";

export interface EocOptions {
  /** Slots shared by all executions. */
  readonly slots?: number;
  readonly initialBackoffMs?: number;
  readonly maxTotalTimeMs?: number;
  readonly options?: ExecuteOptions;
}

/** Executes the same decision again and again, under the policy that the floors and the rivals have too. */
export async function createEoc({ slots, initialBackoffMs = 100, maxTotalTimeMs = 30_000, options }: EocOptions) {
  const { createBulkhead, definePolicy, execute } = await import("@eoc/core");
  const decision = { action: "ACT" } as const;
  const context = { account: "a-17" };
  const policy = definePolicy({
    retry: { maxRetries: 3, initialBackoffMs },
    timeout: { attemptTimeoutMs: 5000, maxTotalTimeMs },
  });
  const ports: ExecuteOptions = {
    ...options,
    ...(slots === undefined ? undefined : { bulkhead: createBulkhead({ limit: slots }) }),
  };
  return (executor: ExecuteFn): Promise<ExecutionReport> => execute(decision, context, policy, executor, ports);
}

/** What the report of an execution that needed one attempt says. */
export const succeededAtOnce: (report: ExecutionReport) => boolean = succeededAfter(1);

/** What the report of an execution that needed so many attempts says. */
export function succeededAfter(attempts: number): (report: ExecutionReport) => boolean {
  return (report) => report.status === "success" && report.attempts.length === attempts;
}

/** What the report of an execution whose every attempt failed says. */
export function failedAfter(attempts: number): (report: ExecutionReport) => boolean {
  return (report) => report.status === "failed" && report.attempts.length === attempts;
}
