import { describe, expect, it, vi } from "vitest";
import { extractSnippets } from "../extract-snippets.js";

describe("the snippets of the documentation", () => {
  for (const { at, file, prints } of extractSnippets().filter(({ runs }) => runs)) {
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
