import { describe, expect, it } from "vitest";
import { outcomeFromFailure } from "../src/outcome-from-failure.js";

const failed = (...links: object[]) =>
  links.reduceRight((cause: Error | undefined, fields) => Object.assign(new Error("x", { cause }), fields), undefined);

const outcome = (error: unknown, method = "POST", aborted = false) => outcomeFromFailure({ method }, error, aborted);
const codes = (errors: readonly unknown[]) => errors.map((error) => outcome(error));

describe("the outcome of a fetch that rejected", () => {
  it("S3.1 is not applied, and retryable, when no connection came about", () => {
    const before = [
      [failed({}, { code: "ECONNREFUSED", syscall: "connect" }), "connection_refused"],
      [failed({}, { code: "ENOTFOUND", syscall: "getaddrinfo" }), "name_not_resolved"],
      [failed({}, { code: "EAI_AGAIN", syscall: "getaddrinfo" }), "name_not_resolved"],
      [failed({}, { code: "UND_ERR_CONNECT_TIMEOUT" }), "connect_timeout"],
      [failed({}, { code: "ERR_SOCKET_CONNECTION_TIMEOUT" }), "connect_timeout"],
      [failed({}, { code: "ETIMEDOUT", syscall: "connect" }), "connect_failed"],
      [failed({}, { code: "ECONNRESET", syscall: "connect" }), "connect_failed"],
      [failed({ code: "ECONNREFUSED" }), "connection_refused"],
    ] as const;
    expect(codes(before.map(([error]) => error))).toEqual(
      before.map(([, code]) => ({ ok: false, code, retryable: true })),
    );
  });

  it("S3.1 is not applied when every address of the name failed to connect, and only then", () => {
    const refused = { code: "ECONNREFUSED", syscall: "connect" };
    expect(
      outcome(failed({}, { code: "ECONNREFUSED", errors: [refused, { ...refused, code: "ENETUNREACH" }] })),
    ).toEqual({
      ok: false,
      code: "connection_refused",
      retryable: true,
    });
    const mixed = failed({}, { code: "ECONNREFUSED", errors: [refused, { code: "ECONNRESET", syscall: "read" }] });
    expect(outcome(mixed)).toMatchObject({ ok: "unknown" });
  });

  it("is not applied, and final, when the server's certificate was refused", () => {
    const refusals = ["CERT_HAS_EXPIRED", "CERT_REVOKED", "INVALID_PURPOSE", "ERR_TLS_CERT_ALTNAME_INVALID"];
    const refused = { ok: false, code: "certificate_refused", retryable: false };
    expect(codes(refusals.map((code) => failed({}, { code })))).toEqual(refusals.map(() => refused));
  });

  it("is not applied, and final, when guardLookup stopped at a private address", () => {
    expect(outcome(failed({}, { code: "EOC_ADDRESS_REFUSED" }))).toEqual({
      ok: false,
      code: "address_refused",
      retryable: false,
    });
  });

  it("is not applied, and final, when the dispatcher had been closed before, but not when it was destroyed", () => {
    const dispatcherClosed = { ok: false, code: "dispatcher_closed", retryable: false };
    expect(outcome(failed({}, { code: "UND_ERR_CLOSED" }))).toEqual(dispatcherClosed);
    expect(outcome(failed({}, { code: "UND_ERR_DESTROYED" }))).toEqual({ ok: "unknown", code: "network_error" });
  });

  it("S3.1 is unknown for anything that can happen after the request left", () => {
    const after = [
      [failed({}, { code: "ECONNRESET", syscall: "read" }), "connection_reset"],
      [failed({}, { code: "EPIPE", syscall: "write" }), "connection_reset"],
      [failed({}, { code: "ETIMEDOUT", syscall: "read" }), "network_error"],
      [failed({}, { code: "EHOSTUNREACH" }), "network_error"],
      [failed({}, { code: "UND_ERR_SOCKET" }), "connection_reset"],
      [failed({}, { code: "UND_ERR_HEADERS_TIMEOUT" }), "reply_timeout"],
      // A server that asks for a certificate says no only after the request (RFC 8446 §4.4.2.4).
      [failed({}, { code: "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED" }), "network_error"],
      [failed({}, { code: "ERR_HTTP2_STREAM_ERROR" }), "network_error"],
      [failed({}, { code: "constructor" }), "network_error"],
      [failed({}), "network_error"],
      ["ECONNREFUSED", "network_error"],
      [undefined, "network_error"],
    ] as const;
    expect(codes(after.map(([error]) => error))).toEqual(after.map(([, code]) => ({ ok: "unknown", code })));
  });

  it("says that it was aborted, unless it never connected", () => {
    expect(outcome(failed({ name: "AbortError" }), "POST", true)).toEqual({ ok: "unknown", code: "aborted" });
    expect(outcome(failed({}, { code: "ECONNREFUSED" }), "POST", true)).toMatchObject({ code: "connection_refused" });
  });

  it("is not applied for a read, which changes nothing", () => {
    const expected = { ok: false, code: "connection_reset", retryable: true };
    expect(["GET", "HEAD", "OPTIONS"].map((method) => outcome(failed({ code: "ECONNRESET" }), method))).toEqual([
      expected,
      expected,
      expected,
    ]);
  });

  it("survives errors that throw when read, and causes that go round", () => {
    const hostile = {
      get code(): string {
        throw new Error("no");
      },
    };
    const round = new Error("round");
    round.cause = round;
    expect([outcome(hostile), outcome(round)]).toEqual([
      { ok: "unknown", code: "network_error" },
      { ok: "unknown", code: "network_error" },
    ]);
  });
});
