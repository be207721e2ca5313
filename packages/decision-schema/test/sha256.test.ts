import { createHash } from "node:crypto";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { findNativeHash, hashByLibrary, hashText } from "../src/sha256.ts";

const texts = fc.string({ unit: "binary", maxLength: 300 }).filter((text) => !/[\ud800-\udfff]/u.test(text));

afterEach(() => vi.unstubAllGlobals());

describe("SHA-256 of a text", () => {
  it("is one and the same, whoever hashes", () => {
    const native = findNativeHash()!;
    fc.assert(
      fc.property(texts, (text) => {
        const expected = createHash("sha256").update(text, "utf8").digest("hex");
        expect([hashText(text), native(text), hashByLibrary(text)]).toEqual([expected, expected, expected]);
      }),
    );
  });

  it.each([
    ["no process, as in a browser", undefined],
    ["a process that has no built-in modules to give", {}],
    ["a process that refuses", { getBuiltinModule: fail }],
    ["one without such a module", { getBuiltinModule: () => undefined }],
    ["a module without such a function", { getBuiltinModule: () => ({}) }],
    ["a function that throws", { getBuiltinModule: () => ({ hash: fail }) }],
    ["a function that hashes something else", { getBuiltinModule: () => ({ hash: () => "00" }) }],
  ])("is left to the library where there is %s", (_name, process) => {
    vi.stubGlobal("process", process);
    expect(findNativeHash()).toBe(undefined);
  });
});

function fail(): never {
  throw new Error("no");
}
