import { join } from "node:path";
import ts from "typescript";
import { describe, expect, it, vi } from "vitest";
import { extractSnippets } from "../extract-snippets.js";

const root = join(import.meta.dirname, "../..");

describe("the snippets of the documentation", () => {
  const snippets = extractSnippets();

  it("are all among the files whose types are checked", () => {
    const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
    const { fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, root);
    expect(snippets.filter(({ file }) => !fileNames.includes(file)).map(({ at }) => at)).toEqual([]);
  });

  for (const { at, file, prints } of snippets.filter(({ runs }) => runs)) {
    // Some open files and start threads.
    it(`${at} runs and prints what it says`, { timeout: 60_000 }, async () => {
      const log = vi.spyOn(console, "log").mockImplementation(() => {});
      try {
        await import(/* @vite-ignore */ file);
        expect(log.mock.calls.map((values) => values.map(String).join(" "))).toEqual(prints);
      } finally {
        log.mockRestore();
      }
    });
  }
});
