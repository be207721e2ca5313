import { describe, expect, it } from "vitest";
import { createRedactor } from "../../src/redaction/redactor.js";

const redactor = createRedactor({ keys: ["customer_ref"], valuePatterns: [/CUST-\d+/], secrets: ["hunter2"] });
const manifestOf = (value: unknown) =>
  redactor.redactWithManifest(value).manifest.map(({ pointer, by, rule }) => `${pointer} ${by} ${rule}`);

describe("S9.3 the manifest", () => {
  it("tells each masked place, why, and by which rule, in the order of the pointers", () => {
    const log = {
      z: { list: [1, { apiKey: "x" }] },
      customerRef: 17,
      note: "CUST-1 said hunter2, password=x and Bearer abc.def",
      b64: "aHVudGVyMg==",
      fields: [{ name: "password", value: "x" }],
      clean: "nothing",
    };

    expect(manifestOf(log)).toEqual([
      "/b64 declared secrets[0]:base64",
      "/customerRef key keys[0]",
      "/fields/0/value key named_value",
      "/note declared secrets[0]",
      "/note value valuePatterns[0]",
      "/note value assignment",
      "/note value authorization",
      "/z/list/1/apiKey key key",
    ]);
  });

  it("points to the root, and into errors, maps, sets and escaped keys (RFC 6901)", () => {
    expect(manifestOf("hunter2")).toEqual([" declared secrets[0]"]);
    expect(manifestOf(new Error("hunter2"))).toEqual(["/message declared secrets[0]"]);
    expect(manifestOf({ e: new Error("hunter2") })).toEqual(["/e/message declared secrets[0]"]);
    expect(manifestOf({ "a/b": { "c~d": { "": { token: 1 } } } })).toEqual(["/a~1b/c~0d//token key token"]);
    expect(
      manifestOf({
        m: new Map<unknown, unknown>([
          ["pwd", 1],
          [{ pwd: 1 }, "hunter2"],
        ]),
      }),
    ).toEqual(["/m/1 declared secrets[0]", "/m/1/pwd key pwd", "/m/pwd key pwd"]);
    expect(manifestOf(new Set(["a", "hunter2"]))).toEqual(["/1 declared secrets[0]"]);
  });

  it("tells what cannot be copied", () => {
    const log: Record<string, unknown> = {
      f: () => 1,
      s: Symbol("s"),
      b: new Uint8Array(1),
      get u() {
        throw new Error("hunter2");
      },
    };
    log["c"] = { up: log };

    expect(manifestOf(log)).toEqual([
      ...["/b value binary", "/c/up value circular", "/f value function", "/s value symbol", "/u value unreadable"],
    ]);
  });

  it("holds no secret, though keys are secrets", () => {
    const log = { hunter2: { token: "x", deep: [{ a: "hunter2" }] }, "token=abc": 1, "token=abd": { n: 1 } };
    const { value, manifest } = redactor.redactWithManifest(log);

    expect(manifest).toEqual([
      { pointer: "/[REDACTED]", by: "declared", rule: "secrets[0]" },
      { pointer: "/[REDACTED]/deep/0/a", by: "declared", rule: "secrets[0]" },
      { pointer: "/[REDACTED]/token", by: "key", rule: "token" },
      { pointer: "/token=[REDACTED]", by: "value", rule: "assignment" },
      { pointer: "/token=[REDACTED]", by: "key", rule: "token" },
      { pointer: "/token=[REDACTED] (3)", by: "value", rule: "assignment" },
      { pointer: "/token=[REDACTED] (3)", by: "key", rule: "token" },
    ]);
    expect(Object.keys(value as object)).toEqual(["[REDACTED]", "token=[REDACTED]", "token=[REDACTED] (3)"]);
  });

  it("lists a getter under a secret key without the key's secret", () => {
    const log = {
      get hunter2() {
        throw new Error("x");
      },
    };

    expect(manifestOf(log)).toEqual(["/[REDACTED] value unreadable", "/[REDACTED] declared secrets[0]"]);
  });

  it("lists a shared object at each place, and is empty when nothing was masked", () => {
    const shared = { token: 1 };

    expect(manifestOf([shared, shared])).toEqual(["/0/token key token", "/1/token key token"]);
    expect(manifestOf({ a: [1, "x", null] })).toEqual([]);
    expect(manifestOf({ token: "[REDACTED]", note: "token=[REDACTED]" })).toEqual([]);
  });
});
