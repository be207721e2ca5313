import type {
  Clock,
  ExecutionEvent,
  Gate,
  IdempotencyStore,
  Issue,
  Journal,
  KillSwitch,
  RateLimiter,
  RetryBudget,
} from "@eoc/core";

/** The ports of an execution on the engine: those of `execute` but for two, which are refused. */
export interface DurablePorts {
  /** Read live before every dispatch; its subscription is obeyed in flight and, for `haltWatchMs`, in waits (S2). */
  killSwitch?: KillSwitch;
  /** Share one that all processes of the service share. */
  rateLimiter?: RateLimiter;
  idempotencyStore?: IdempotencyStore;
  retryBudget?: RetryBudget;
  gates?: readonly Gate[];
  /**
   * Appended to in the order of the events. After a crash an event may be appended again, identical: told apart by
   * `executionId` and `seq`.
   */
  journal?: Journal;
  /** As `journal`: may be shown an event again after a crash. */
  onEvent?: (event: ExecutionEvent) => void;
  /** Wall and local time of this process. @defaultValue the system clock */
  clock?: Clock;
  /** Its slots would live and die with one process: the engine limits concurrency itself. */
  bulkhead?: never;
  /** It cannot outlive its process: cancel the invocation instead. */
  signal?: never;
}

/** How an execution is run on the engine. */
export interface DurableSettings {
  ports?: DurablePorts;
  /**
   * Keeps what executors return in the engine's journal, where it is JSON, so that `value` of the report's rows is there
   * (S9.2). Without it no value enters any record of the engine, and rows have none. @defaultValue false
   */
  storeValues?: boolean;
  /**
   * How long a wait is listened to for a halt before the process may rest, and how often it is then woken to look, in
   * milliseconds. Whatever it is, nothing is dispatched after a halt. @defaultValue 30000
   */
  haltWatchMs?: number;
}

/** What one execution may be given besides the decision and its context. */
export interface DurableExecuteOptions {
  /** @defaultValue the invocation's id */
  executionId?: string;
  /** Keys the jitter (S3.5). @defaultValue the execution's id */
  seed?: string;
  /** What was approved: compared with the decision immediately before every dispatch (S1.8). */
  approval?: { digest: string; expiresAtMs?: number };
}

const UNPORTED = {
  bulkhead: "nothing: the engine limits concurrency itself",
  signal: "nothing: cancel the invocation instead",
};

const OPTIONS: readonly string[] = ["executionId", "seed", "approval"];

/** What cannot be heeded on an engine is refused, not ignored: ports that there are not, and ports among the options. */
export function checkHeeded(ports: DurablePorts | undefined, options: DurableExecuteOptions): Issue[] {
  const given = (of: object | undefined, path: string, expected: (name: string) => string | undefined) =>
    Object.entries(of ?? {}).flatMap(([name, value]) => {
      const wanted = value === undefined ? undefined : expected(name);
      return wanted === undefined ? [] : [{ path: `${path}.${name}`, expected: wanted, received: typeof value }];
    });
  return [
    ...given(ports, "ports", (name) => UNPORTED[name as keyof typeof UNPORTED]),
    ...given(options, "options", (name) => (OPTIONS.includes(name) ? undefined : `one of ${OPTIONS.join(", ")}`)),
  ];
}

/** @defaultValue of {@link DurableSettings.haltWatchMs} */
export const HALT_WATCH_MS = 30_000;
