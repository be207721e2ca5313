// Renders the pages, and the API reference where it was written, to `.site`: `pnpm site`. Fails where a link inside leads nowhere.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, normalize, relative } from "node:path";
import { Marked } from "marked";
import { anchorOf, isOutside, type Page, readPages, targetOf } from "./check-links.ts";

const root = join(import.meta.dirname, "..");
const target = join(root, ".site");
const repository = String(JSON.parse(readFileSync(join(root, "packages/core/package.json"), "utf8")).repository.url)
  .replace(/^git\+/, "")
  .replace(/\.git$/, "");

const STYLE = `:root { color-scheme: light dark; }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 62rem; margin: 0 auto; padding: 1rem; }
nav a { margin-right: 1.2rem; }
code { font: 0.88em/1.45 ui-monospace, monospace; }
pre { overflow-x: auto; padding: 0.8rem; border: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
.table { overflow-x: auto; }
table { border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 0.6rem; border: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
img { max-width: 100%; }
`;

/** What a page becomes: a README is the index of its folder. */
export function siteFile(path: string): string {
  return path.replace(/(^|\/)README\.md$/, "$1index.html").replace(/\.md$/, ".html");
}

/** How pages reach what is not rendered. */
export interface Around {
  /** The pages that are rendered. */
  readonly pages: ReadonlySet<string>;
  isFolder(path: string): boolean;
  /** Where the sources are read. */
  readonly repository: string;
}

/** A link of a page as the site has it: to the page that was rendered, else to the source. */
function rewrite(page: Page, link: string, { pages, isFolder, repository }: Around): string {
  if (isOutside(link)) return link;
  const { path, anchor } = targetOf(page, link);
  const found = [path, `${path}/README.md`.replace(/^\.\//, "")].find((each) => pages.has(each));
  const end = anchor === undefined ? "" : `#${anchor}`;
  if (found !== undefined) return `${relative(dirname(siteFile(page.path)), siteFile(found)) || "."}${end}`;
  return `${repository}/${isFolder(path) ? "tree" : "blob"}/main/${path}${end}`;
}

const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");

/** A whole HTML page, and the images that it shows, from the root of the repository. */
export function renderPage(page: Page, around: Around): { html: string; images: string[] } {
  const anchors = new Set<string>();
  const images: string[] = [];
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth, text }) {
        const anchor = anchorOf(text, anchors);
        anchors.add(anchor);
        return `<h${depth} id="${anchor}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
      },
    },
    walkTokens(token) {
      if (token.type === "link") token.href = rewrite(page, token.href, around);
      // An image stays where it is beside its page, which is copied.
      if (token.type === "image" && !isOutside(token.href)) {
        const { path } = targetOf(page, token.href);
        images.push(path);
        token.href = relative(dirname(siteFile(page.path)), path);
      }
    },
  });
  const up = relative(dirname(siteFile(page.path)), ".") || ".";
  const body = String(marked.parse(page.text))
    .replaceAll("<table>", '<div class="table"><table>')
    .replaceAll("</table>", "</table></div>");
  const title = /^# (.+)$/m.exec(page.text)?.[1]?.replaceAll("`", "") ?? page.path;
  const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<link rel="stylesheet" href="${up}/style.css">
<nav><a href="${up}/index.html">EOC</a><a href="${up}/docs/index.html">Documentation</a><a href="${up}/docs/GUARANTEES.html">Guarantees</a><a href="${up}/api/index.html">API</a></nav>
<main>
${body}</main>
`;
  return { html, images };
}

/** Links inside a site that lead nowhere. `files` are HTML pages by path; `exists` knows what else is there. */
export function brokenLinks(files: ReadonlyMap<string, string>, exists: (path: string) => boolean): string[] {
  return [...files].flatMap(([path, html]) =>
    [...html.matchAll(/ (?:href|src)="([^"]*)"/g)].flatMap(([, link = ""]) => {
      if (isOutside(link)) return [];
      const [file = "", anchor] = link.split("#");
      const to = file === "" ? path : normalize(join(dirname(path), decodeURI(file)));
      const there = files.get(to);
      if (there === undefined) return exists(to) ? [] : [`${path}: ${link} leads nowhere`];
      return anchor === undefined || there.includes(` id="${anchor}"`) ? [] : [`${path}: ${link} has no such anchor`];
    }),
  );
}

/** The index of a folder that has none. */
function listOf(folder: string, title: string, pages: readonly Page[]): Page {
  const items = pages
    .filter(({ path }) => dirname(path) === folder)
    .map(({ path, text }) => `- [${/^# (.+)$/m.exec(text)?.[1] ?? path}](${basename(path)})`);
  return { path: `${folder}/README.md`, text: `# ${title}\n\n${items.join("\n")}\n` };
}

function writeSite(): string[] {
  const read = readPages().filter(({ path }) => path.endsWith(".md") && !path.startsWith("."));
  const pages = [...read, listOf("docs/adr", "Decisions", read)];
  const names = new Set(pages.map(({ path }) => path));
  const isFolder = (path: string) => existsSync(join(root, path)) && statSync(join(root, path)).isDirectory();
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target);
  writeFileSync(join(target, "style.css"), STYLE);
  if (existsSync(join(root, ".api"))) cpSync(join(root, ".api"), join(target, "api"), { recursive: true });
  const files = new Map<string, string>();
  for (const page of pages) {
    const { html, images } = renderPage(page, { pages: names, isFolder, repository });
    files.set(siteFile(page.path), html);
    mkdirSync(join(target, dirname(page.path)), { recursive: true });
    writeFileSync(join(target, siteFile(page.path)), html);
    for (const image of images) cpSync(join(root, image), join(target, image));
  }
  console.log(`${files.size} pages in .site`);
  return brokenLinks(files, (path) => existsSync(join(target, path)));
}

if (process.argv[1] === import.meta.filename) {
  const problems = writeSite();
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
