import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { isEocError } from "@eoc/core";
import { describe, expect, it } from "vitest";
import { checkRuntime } from "../src/node-version.js";

describe("a runtime that is too old for the SDK", () => {
  it("is refused with what it is and what is needed", () => {
    const refused = (() => {
      try {
        return checkRuntime({}, "20.20.2");
      } catch (error) {
        return error;
      }
    })();
    expect(isEocError(refused)).toBe(true);
    expect(refused).toMatchObject({
      code: "invalid_option",
      message: expect.stringMatching(/Node 22 or later.*Node 20\.20\.2/),
    });
  });

  it("is refused when the package is loaded, whichever way", () => {
    for (const load of [
      'await import("@eoc/adapter-restate")',
      'createRequire(import.meta.url)("@eoc/adapter-restate")',
    ]) {
      const code = `import { createRequire } from "node:module"; delete Promise.withResolvers; ${load};`;
      const { stderr, status } = spawnSync(process.execPath, ["--input-type=module", "-e", code], {
        cwd: fileURLToPath(new URL("..", import.meta.url)),
        encoding: "utf8",
      });
      expect(status).toBe(1);
      expect(stderr).toContain("@eoc/adapter-restate needs Node 22 or later");
    }
  });

  it("is the only one that is refused", () => {
    expect(() => checkRuntime(Promise, process.versions.node)).not.toThrow();
  });
});
