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
