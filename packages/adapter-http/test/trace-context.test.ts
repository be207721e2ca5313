import { describe, expect, it } from "vitest";
import { traceHeaders } from "../src/trace-context.js";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";

describe("a trace context", () => {
  it("becomes the headers of the W3C recommendation", () => {
    const traceparent = `00-${TRACE}-${SPAN}-01`;
    expect(traceHeaders({ traceparent })).toEqual({ traceparent });
    expect(traceHeaders({ traceparent, tracestate: "a=1,b=2" })).toEqual({ traceparent, tracestate: "a=1,b=2" });
  });

  it("may be of a later version, which may be longer", () => {
    const traceparent = `cc-${TRACE}-${SPAN}-01-what-the-future-brings`;
    expect(traceHeaders({ traceparent })).toEqual({ traceparent });
  });

  it("is left out when it is malformed", () => {
    const malformed = [
      `00-${TRACE}-${SPAN}`,
      `00-${TRACE}-${SPAN}-01-more`,
      `ff-${TRACE}-${SPAN}-01`,
      `00-${"0".repeat(32)}-${SPAN}-01`,
      `00-${TRACE}-${"0".repeat(16)}-01`,
      `00-${TRACE.toUpperCase()}-${SPAN}-01`,
      `00-${TRACE}-${SPAN}-01\r\nx: y`,
      7,
    ];
    expect(malformed.map((traceparent) => traceHeaders({ traceparent, tracestate: "a=1" }))).toEqual(
      malformed.map(() => ({})),
    );
    expect([undefined, null, "00", {}].map(traceHeaders)).toEqual([{}, {}, {}, {}]);
  });

  it("goes without a malformed state", () => {
    const traceparent = `00-${TRACE}-${SPAN}-00`;
    const states = ["", "x".repeat(513), "a=1\nb=2", 7];
    expect(states.map((tracestate) => traceHeaders({ traceparent, tracestate }))).toEqual(
      states.map(() => ({ traceparent })),
    );
  });
});
