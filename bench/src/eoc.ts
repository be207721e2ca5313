import { createBulkhead, definePolicy, type ExecuteFn, type ExecuteOptions, type ExecutionReport, execute } from "@eoc/core";

export interface EocOptions {
  /** Slots shared by all executions. */
  readonly slots?: number;
  readonly initialBackoffMs?: number;
  readonly maxTotalTimeMs?: number;
  readonly options?: ExecuteOptions;
}

/** Executes the same decision again and again, under the policy that the floors and the rivals have too. */
export function createEoc({ slots, initialBackoffMs = 100, maxTotalTimeMs = 30_000, options }: EocOptions) {
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
export function succeededAtOnce({ status, attempts }: ExecutionReport): boolean {
  return status === "success" && attempts.length === 1;
}
