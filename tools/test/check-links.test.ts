import { describe, expect, it } from "vitest";
import { anchorsOf, type Known, linksOf, outsideLinks, type Page, problemsOf } from "../check-links.js";
import { judge, namesIn } from "../try-links.js";

const files = new Set(["docs/index.md", "docs/guide.md", "docs/adr", "tools/check.ts"]);
const known: Known = {
  exists: (path) => files.has(path),
  isFolder: (path) => path === "docs/adr",
  scripts: new Set(["check"]),
  packageScripts: new Set(["bench"]),
  binaries: new Set(["vitest"]),
  commands: new Set(["verify"]),
  packageManager: "pnpm@12.21.0",
};
const index: Page = { path: "docs/index.md", text: "# Index\n\n[guide](guide.md#two-words)\n" };
const guide = (text: string): Page => ({ path: "docs/guide.md", text: `# Guide\n\n## Two words\n\n${text}\n` });
const problemsIn = (text: string) => problemsOf([index, guide(text)], known);

describe("the check of pages", () => {
  it("finds nothing wrong where nothing is", () => {
    expect(
      problemsIn(
        "[back](index.md) `npx pnpm@12.21.0 check` `pnpm exec vitest run` `node tools/check.ts` `eoc verify x` `pnpm run bench` `pnpm --filter x bench`\n\n```sh\nnpx pnpm@12.21.0 check    # all\n```",
      ),
    ).toEqual([]);
  });

  it.each([
    ["a file that is not there", "[a](other.md)", "other.md leads nowhere"],
    ["an anchor that is not there", "[a](index.md#nothing)", "index.md#nothing has no such anchor"],
    ["an anchor of the page itself", "[a](#three)", "#three has no such anchor"],
    ["a script that is not there", "`pnpm frobnicate`", "is no script"],
    ["a script of a package that is not there", "`pnpm run frobnicate`", "is no script of a package"],
    ["a script of a filtered package that is not there", "`pnpm --filter x frobnicate`", "is no script of a package"],
    ["another pnpm", "`npx pnpm@11.0.0 check`", "is not pnpm@12.21.0"],
    ["a tool that is not installed", "`pnpm exec jest`", "runs a tool that is not installed"],
    ["a file that cannot be run", "```sh\nnode tools/gone.ts\n```", "runs a file that is not there"],
    ["a command that eoc does not have", "`eoc frobnicate`", "is no command of eoc"],
    ["a link that is not encrypted", "[a](http://zod.dev)", "http://zod.dev is no https link"],
    ["a link to a machine of one's own", "[a](https://localhost/x)", "https://localhost/x is no https link"],
    ["a link without its scheme", "[a](//zod.dev)", "//zod.dev is no https link"],
    ["a link that is none", "[a](https://)", "https:// is no https link"],
    ["a block that nobody runs", "```typescript\n1;\n```", "nobody checks a block in typescript"],
    ["a block that is not extracted", "```ts file=a.ts\n1;\n```", "is not run"],
  ])("finds %s", (_, text, problem) => {
    expect(problemsIn(text)).toEqual([expect.stringContaining(problem)]);
  });

  it("finds a page that no way leads to", () => {
    expect(problemsOf([{ ...index, text: "# Index" }, guide("")], known)).toEqual([
      "docs/guide.md: no way leads here from docs/index.md",
    ]);
  });

  it("looks at no link inside code", () => {
    expect(linksOf("`[a](b.md)` [c](d.md)\n\n```text\n[e](f.md)\n```")).toEqual(["d.md"]);
  });

  it("makes anchors as GitHub does", () => {
    const text =
      '# `code` and *more*, in: a [link](x.md)!\n## S2 Kill switch\n## S2 Kill switch\n<a id="s1-1"></a>\n```sh\n# no heading\n```';
    expect([...anchorsOf(text)]).toEqual(["code-and-more-in-a-link", "s2-kill-switch", "s2-kill-switch-1", "s1-1"]);
  });

  it("knows where the pages lead outside, each place once", () => {
    const text = "[a](https://zod.dev#x) [b](https://zod.dev) [c](index.md) [d](https://fast-check.dev/docs)";
    expect(outsideLinks([guide(text)])).toEqual(["https://fast-check.dev/docs", "https://zod.dev"]);
  });
});

describe("the trial of links", () => {
  it("fails what answers with an error, and not what cannot be reached", () => {
    expect(judge({ status: 200 })).toBe("ok");
    expect(judge({ status: 404 })).toBe("broken");
    expect(judge({ status: 500 })).toBe("broken");
    expect(judge({ unreachable: "ENOTFOUND" })).toBe("unreachable");
  });

  it("knows the packages that pages install, but for those of this repository", () => {
    const text =
      "```sh\nnpm install --save-dev @eoc/testkit @types/node vitest@5 # now\nnpm init -y\n```\n`npm install pg`";
    expect(namesIn([guide(text)])).toEqual(["@types/node", "pg", "vitest"]);
  });
});
