import { describe, expect, it } from "vitest";
import { type Around, brokenLinks, renderPage, siteFile } from "../site.js";

const around: Around = {
  pages: new Set(["README.md", "docs/index.md", "docs/guide.md", "packages/core/README.md"]),
  isFolder: (path) => path === "packages/core/src",
  repository: "https://example.com/eoc",
};
const guide = (text: string) => renderPage({ path: "docs/guide.md", text }, around);

describe("the site", () => {
  it("has a file for each page, and that of a README is the index of its folder", () => {
    expect(["README.md", "packages/core/README.md", "docs/guide.md"].map(siteFile)).toEqual([
      "index.html",
      "packages/core/index.html",
      "docs/guide.html",
    ]);
  });

  it.each([
    ["a page", "index.md#begin", "index.html#begin"],
    ["an anchor", "#two", "guide.html#two"],
    ["a README", "../README.md", "../index.html"],
    ["the folder of a README", "../packages/core", "../packages/core/index.html"],
    ["a source", "../tools/site.ts", "https://example.com/eoc/blob/main/tools/site.ts"],
    ["a folder of sources", "../packages/core/src", "https://example.com/eoc/tree/main/packages/core/src"],
    ["another place", "https://zod.dev", "https://zod.dev"],
  ])("leads from a page to %s", (_, link, href) => {
    expect(guide(`# G\n\n[there](${link})\n`).html).toContain(`<a href="${href}">there</a>`);
  });

  it("shows images beside their pages, and headings under the anchors that links use", () => {
    const { html, images } = guide("# G\n\n## `Two` words\n\n## Two words\n\n![x](../apps/x.svg)\n");
    expect(images).toEqual(["apps/x.svg"]);
    expect(html).toContain('src="../apps/x.svg"');
    expect(html).toContain('<h2 id="two-words"><code>Two</code> words</h2>');
    expect(html).toContain('<h2 id="two-words-1">');
  });

  it("is told of links that lead nowhere", () => {
    const files = new Map([
      ["docs/a.html", '<a href="b.html#x">1</a><a href="b.html#y">2</a><a href="c.html">3</a><img src="../d.svg">'],
      ["docs/b.html", '<h2 id="x">x</h2>'],
    ]);
    expect(brokenLinks(files, (path) => path === "d.svg")).toEqual([
      "docs/a.html: b.html#y has no such anchor",
      "docs/a.html: c.html leads nowhere",
    ]);
  });
});
