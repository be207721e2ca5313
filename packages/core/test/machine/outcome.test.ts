import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { NotAppliedError, UnknownOutcomeError } from "../../src/index.js";
import { errorTypeOf, judgeResult, judgeThrown, safeCode } from "../../src/machine/index.js";

const hostile = (name: string): object =>
  Object.defineProperty({}, name, {
    get() {
      throw new Error("hostile");
    },
  });

describe("judgeResult (S3.1)", () => {
  it("believes ok: true, and nothing else of it", () => {
    expect(judgeResult({ ok: true, code: "no", value: 1 })).toEqual({ kind: "applied" });
  });

  it.each([
    [
      { ok: false, code: "busy" },
      { code: "busy", retryable: true, retryAfterMs: 0 },
    ],
    [
      { ok: false, code: "busy", retryable: false },
      { code: "busy", retryable: false, retryAfterMs: 0 },
    ],
    [
      { ok: false, code: "busy", retryable: null, retryAfterMs: 7 },
      { code: "busy", retryable: true, retryAfterMs: 7 },
    ],
    [
      { ok: false, code: "BUSY!", retryAfterMs: -7 },
      { code: "invalid_code", retryable: true, retryAfterMs: 0 },
    ],
    [
      { ok: false, code: "busy", retryAfterMs: Number.NaN },
      { code: "busy", retryable: true, retryAfterMs: Number.MAX_SAFE_INTEGER },
    ],
    [
      { ok: false, code: "busy", retryAfterMs: "7" },
      { code: "busy", retryable: true, retryAfterMs: Number.MAX_SAFE_INTEGER },
    ],
    [
      { ok: false, code: "busy", retryAfterMs: null },
      { code: "busy", retryable: true, retryAfterMs: 0 },
    ],
  ])("takes a rejection at its word: %j", (result, said) => {
    expect(judgeResult(result)).toEqual({ kind: "not_applied", ...said });
  });

  it.each([undefined, null, true, "ok", [], {}, { ok: "true" }, { ok: 1 }, { ok: false }, { ok: false, code: 7 }])(
    "takes no word for anything else: %j",
    (result) => {
      expect(judgeResult(result)).toEqual({ kind: "invalid" });
    },
  );

  it("S3.1 takes no for an answer only where it says ok: false", () => {
    for (const ok of [undefined, null, 0, "", "false", Number.NaN]) {
      expect(judgeResult({ ok, code: "busy" })).toEqual({ kind: "invalid" });
    }
  });

  it("S9.1 takes only texts for codes and class names", () => {
    expect(safeCode(5)).toBe("invalid_code");
    expect(safeCode(["busy"])).toBe("invalid_code");
    for (const name of [5, ["TypeError"], "no name", ""]) {
      expect(errorTypeOf(new (Object.defineProperty(class {}, "name", { value: name }))())).toBe("Error");
    }
  });

  it("never throws", () => {
    expect(judgeResult(hostile("ok"))).toEqual({ kind: "invalid" });
    expect(judgeResult(hostile("retryAfterMs"))).toEqual({ kind: "invalid" });
  });
});

describe("judgeThrown (S3.1, S9.1)", () => {
  it("believes a NotAppliedError", () => {
    const said = {
      kind: "not_applied",
      code: "refused",
      retryable: false,
      retryAfterMs: 7,
      errorType: "NotAppliedError",
    };
    expect(judgeThrown(new NotAppliedError("refused", { retryable: false, retryAfterMs: 7 }))).toEqual(said);
  });

  it("records the code of an UnknownOutcomeError, and of nothing else that is thrown", () => {
    class OfTheirs extends UnknownOutcomeError {}
    expect(judgeThrown(new OfTheirs("http_503"))).toEqual({ kind: "threw", errorType: "OfTheirs", code: "http_503" });
    expect(judgeThrown(new UnknownOutcomeError("A Secret"))).toMatchObject({ kind: "threw", code: "invalid_code" });
    for (const code of ["execution_exception", "timeout", "aborted", "invalid_result"])
      expect(judgeThrown(new UnknownOutcomeError(code))).toEqual({ kind: "threw", errorType: "UnknownOutcomeError" });
    const other = Object.assign(new Error("x"), { code: "http_503", retryAfterMs: 7 });
    expect(judgeThrown(other)).toEqual({ kind: "threw", errorType: "Error" });
  });

  it.each([
    [7.5, { retryAfterMs: 7.5 }],
    [Number.POSITIVE_INFINITY, { retryAfterMs: Number.MAX_SAFE_INTEGER }],
    [0, {}],
    [-7, {}],
    [undefined as never, {}],
    [null as never, {}],
    [Number.NaN, { retryAfterMs: Number.MAX_SAFE_INTEGER }],
    ["7" as never, { retryAfterMs: Number.MAX_SAFE_INTEGER }],
  ])("S3.5 hears how long a retry is to wait after an unknown outcome: %j", (retryAfterMs, heard) => {
    const said = { kind: "threw", errorType: "UnknownOutcomeError", code: "busy" };
    expect(judgeThrown(new UnknownOutcomeError("busy", { retryAfterMs }))).toEqual({ ...said, ...heard });
  });

  it.each([
    [new TypeError("secret"), "TypeError"],
    ["secret", "string"],
    [undefined, "undefined"],
    [null, "object"],
    [Object.create(null), "Error"],
    [hostile("constructor"), "Object"],
    [JSON.parse('{"constructor":{"name":"sk_live_51H8abcdEFGHijklMNOP"}}'), "Object"],
    [Object.create({ constructor: { name: "sk_live_51H8abcdEFGHijklMNOP" } }), "Error"],
    [new Proxy(new RangeError(), { getPrototypeOf: () => JSON.parse("nothing") }), "Error"],
    [Object.create(hostile("constructor")), "Error"],
    [runInNewContext("new EvalError()"), "EvalError"],
  ])("names the type of anything else, and no more: case %#", (error, errorType) => {
    expect(judgeThrown(error)).toEqual({ kind: "threw", errorType });
  });

  it("never throws, and believes no word of an error that cannot be read", () => {
    const error = new NotAppliedError("refused");
    Object.defineProperty(error, "retryAfterMs", {
      get() {
        throw new Error("hostile");
      },
    });
    expect(judgeThrown(error)).toEqual({ kind: "threw", errorType: "NotAppliedError" });
  });
});
