import type { ExecuteOptions, ExecutionPolicyInput, Executor, FinalDecisionInput, RateLimiter } from "@eoc/core";

/** Serves requests. Never rejects: whatever goes wrong is a response. */
export type ExecutionHandler = (request: Request) => Promise<Response>;

/** What was approved, as `execute` compares it with the decision (S1.8). */
export type Approval = NonNullable<ExecuteOptions["approval"]>;

/** At most `limit` executions start in any window of `windowMs`. */
export interface HandlerRateLimit {
  limit: number;
  windowMs: number;
  /** Whom to count a request for, such as the name of its caller. @defaultValue everybody together */
  key?: (request: Request) => string;
  /** Hand in one that is shared by processes where there are several. @defaultValue this process's memory */
  limiter?: RateLimiter;
}

/** What the handler keeps in memory of executions, so that they can be followed and their requests be repeated. */
export interface RememberOptions {
  /** Running ones count and are never forgotten; when there are only such, a further one is refused. @defaultValue 1000 */
  maxExecutions?: number;
  /** Milliseconds after its end. @defaultValue 600000 */
  maxAgeMs?: number;
  /** Of one execution; the oldest are forgotten first. @defaultValue 10000 */
  maxEvents?: number;
  /**
   * Of all events and answers together, as many as their JSON has characters. Beyond it the executions that are over are forgotten, and a
   * further one is refused when there are only running ones. @defaultValue 100000000
   */
  maxBytes?: number;
}

/** In what the handler failed closed. */
export type HandlerFault = "authorize" | "rate_limit" | "approval" | "kill_switch" | "handler";

/** What `createExecutionHandler` takes. */
export interface ExecutionHandlerOptions {
  /** Every execution is held to it. Callers have no say in it. */
  policy: ExecutionPolicyInput;
  executor: Executor;
  /**
   * Whether a request may execute decisions and read executions: only `true` lets it in; throwing, or no answer within the
   * policy's `portTimeoutMs`, is a 503. It must leave the body unread, or read a clone. `"none"` lets everybody in who can connect.
   */
  authorize: "none" | ((request: Request) => boolean | Promise<boolean>);
  /**
   * Ports of every execution, all that the policy needs among them: without one, or with one that is misspelt, no handler is made. Its
   * `signal` cancels all that run, for a shutdown.
   */
  ports?: Omit<ExecuteOptions, "executionId" | "approval" | "seed">;
  /**
   * Looks up the approval of a decision, which is not validated yet. With this function requests may bring no approval of their own, and a
   * decision without one is refused.
   */
  approval?: (decision: FinalDecisionInput, request: Request) => Approval | undefined | Promise<Approval | undefined>;
  /**
   * Turns `/control` on, for whoever has the bearer token. At least 16 characters. The kill switch is `ports.killSwitch`, which needs
   * `halt` and `clear`, as that of `createManualKillSwitch` and those of stores have them. They are given the policy's `portTimeoutMs`.
   */
  control?: { token: string };
  rateLimit?: HandlerRateLimit;
  remember?: RememberOptions;
  /** What comes before `/execute` and the other paths, such as `/eoc`. @defaultValue "" */
  basePath?: string;
  /** @defaultValue 1000000 */
  maxRequestBytes?: number;
  /** Milliseconds within which a request's body has to arrive. @defaultValue 10000 */
  requestTimeoutMs?: number;
  /** Milliseconds after which a stream of events that is idle says something. Bun closes what is idle for 10 s. @defaultValue 5000 */
  keepAliveMs?: number;
  /** Streams of events that may be open at once. @defaultValue 1000 */
  maxStreams?: number;
  /** What a lost connection means for the execution that it asked for. @defaultValue "finish" */
  onDisconnect?: "finish" | "cancel";
  /** Told of every execution, on platforms that stop what outlives its response: a worker's `waitUntil`. */
  waitUntil?: (execution: Promise<unknown>) => void;
  /** Told what the handler failed closed for, as responses say nothing of it. Observes only. */
  onError?: (error: unknown, fault: HandlerFault) => void;
}
