import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { writeAdapter } from "../new-adapter.js";

const empty = () => mkdtempSync(join(tmpdir(), "eoc-adapter-"));

it("a new adapter has the files of a package, all under its name", () => {
  const at = empty();
  const files = writeAdapter("sample-mail", at);

  expect(files.sort()).toEqual([
    ".changeset/adapter-sample-mail.md",
    "packages/adapter-sample-mail/README.md",
    "packages/adapter-sample-mail/package.json",
    "packages/adapter-sample-mail/src/index.ts",
    "packages/adapter-sample-mail/src/sample-mail-executor.ts",
    "packages/adapter-sample-mail/test/executor-contract.test.ts",
    "packages/adapter-sample-mail/test/public-api.test.ts",
    "packages/adapter-sample-mail/tsconfig.json",
    "packages/adapter-sample-mail/tsup.config.ts",
  ]);
  const texts = files.map((file) => readFileSync(join(at, file), "utf8"));
  expect(texts.filter((text) => /__\w+__/.test(text))).toEqual([]);
  expect(texts.join()).toContain("createSampleMailExecutor");
});

it("a new adapter is not written over one that is there", () => {
  const at = empty();
  writeAdapter("mail", at);
  expect(() => writeAdapter("mail", at)).toThrow("packages/adapter-mail is there already");
});

it.each(["", "Mail", "mail_out", "../mail", "-mail"])("a new adapter cannot be called %j", (name) => {
  expect(() => writeAdapter(name, empty())).toThrow("is no kebab-case name");
});
