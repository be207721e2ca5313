// Sending actions.

export { guardLookup, type LookupAddress, type LookupFn } from "./guard-lookup.js";
export { createHttpExecutor, type HttpExecutor } from "./http-executor.js";
export { HttpUnknownError } from "./http-unknown-error.js";
export type {
  FetchFn,
  HttpAnswer,
  HttpExecutorOptions,
  HttpHead,
  HttpOutcome,
  HttpReconcile,
  HttpRequest,
  HttpRequestFn,
} from "./options.js";
export { outcomeOfReport } from "./outcome-of-report.js";
export type { HttpProblem } from "./problem-details.js";
export type { TraceContext } from "./trace-context.js";

// Serving executions.

export { bearerToken } from "./handler/bearer-token.js";
export { createExecutionHandler } from "./handler/execution-handler.js";
export type {
  Approval,
  ExecutionHandler,
  ExecutionHandlerOptions,
  HandlerFault,
  HandlerRateLimit,
  RememberOptions,
} from "./handler/options.js";
export { type NodeIncoming, type NodeOutgoing, toNodeListener } from "./to-node-listener.js";
