/** Where a request belongs in a distributed trace (W3C Trace Context). */
export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate?: string;
}

// https://www.w3.org/TR/trace-context/#traceparent-header: a later version may be longer.
const TRACEPARENT =
  /^(?!ff)(?<version>[0-9a-f]{2})-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?<more>-[\x21-\x7e]*)?$/;
const TRACESTATE = /^[\x20-\x7e]{1,512}$/;

/** The headers that pass a trace on; none for a context that is malformed, as tracing never decides what is sent. */
export function traceHeaders(context: unknown): Record<string, string> {
  if (typeof context !== "object" || context === null) return {};
  const { traceparent, tracestate } = context as Record<string, unknown>;
  const parts = typeof traceparent === "string" ? TRACEPARENT.exec(traceparent)?.groups : undefined;
  if (parts === undefined || (parts["version"] === "00" && parts["more"] !== undefined)) return {};
  return {
    traceparent: traceparent as string,
    ...(typeof tracestate === "string" && TRACESTATE.test(tracestate) ? { tracestate } : {}),
  };
}
