// Checks, without the network, what the pages point at: files, anchors, commands, and that every guide can be reached from docs/index.md.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";

const root = join(import.meta.dirname, "..");
const PNPM_ITSELF = new Set(["add", "exec", "install", "dlx"]);
const FENCES = new Set(["sh", "ts", "js", "json", "text", "yaml", "sql", "html", "mermaid", ""]);

/** What a page says that can be checked. */
export interface Page {
  readonly path: string;
  readonly text: string;
}

/** What the pages are checked against. */
export interface Known {
  exists(path: string): boolean;
  isFolder(path: string): boolean;
  readonly scripts: ReadonlySet<string>;
  readonly packageScripts: ReadonlySet<string>;
  readonly binaries: ReadonlySet<string>;
  /** Commands of `eoc`. */
  readonly commands: ReadonlySet<string>;
  readonly packageManager: string;
}

const withoutFences = (text: string) =>
  text.replaceAll(/^( *)(```+)[^\n]*\n[\s\S]*?^\1\2$/gm, (block) => block.replaceAll(/[^\n]/g, ""));
const withoutCode = (text: string) => withoutFences(text).replaceAll(/`[^`\n]*`/g, "");

/** The anchor of a heading as GitHub makes it, unless `taken` has it already. */
export function anchorOf(heading: string, taken: ReadonlySet<string>): string {
  const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").replaceAll(/[`*]|<[^>]*>/g, "");
  const slug = plain
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(/\s/g, "-");
  let anchor = slug;
  for (let again = 1; taken.has(anchor); again++) anchor = `${slug}-${again}`;
  return anchor;
}

/** The anchors of a page: headings, and `<a id>`. */
export function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of withoutFences(text).matchAll(/^#{1,6} (.+)$/gm))
    anchors.add(anchorOf(heading, anchors));
  for (const [, id = ""] of withoutFences(text).matchAll(/<a id="([^"]+)">/g)) anchors.add(id);
  return anchors;
}

/** The targets of a page's links, images included. */
export function linksOf(text: string): string[] {
  const inline = [...withoutCode(text).matchAll(/\]\(([^()\s]+(?:\([^()]*\)[^()\s]*)?)(?: "[^"]*")?\)/g)];
  const named = [...withoutCode(text).matchAll(/^\[[^\]]+\]: (\S+)/gm)];
  return [...inline, ...named].map((found) => found[1] ?? "");
}

/** Where a relative link of a page leads, from the root of the repository. */
export function targetOf(page: Page, link: string): { path: string; anchor: string | undefined } {
  const [file = "", anchor] = link.split("#");
  const path = file === "" ? page.path : normalize(join(dirname(page.path), decodeURI(file)));
  return { path: path.replace(/\/$/, ""), anchor };
}

export const isOutside = (link: string) => /^[a-z]+:/.test(link) || link.startsWith("//");

/** A link to elsewhere is a whole `https` URL of a public host. Whether it answers is for tools/try-links.ts to see. */
function outsideProblems(page: Page): string[] {
  return linksOf(page.text)
    .filter(isOutside)
    .filter((link) => {
      const url = URL.canParse(link) ? new URL(link) : undefined;
      return url?.protocol !== "https:" || url.username !== "" || url.port !== "" || !/\.[a-z]{2,}$/.test(url.hostname);
    })
    .map((link) => `${page.path}: ${link} is no https link to a public host`);
}

/** Where the pages link to outside of the repository, each once, without its anchor. */
export function outsideLinks(list: readonly Page[]): string[] {
  const links = list.flatMap(({ text }) => linksOf(text).filter(isOutside));
  return [...new Set(links.map((link) => link.replace(/#.*$/, "")))].sort();
}

function linkProblems(page: Page, pages: ReadonlyMap<string, Page>, known: Known): string[] {
  return linksOf(page.text)
    .filter((link) => !isOutside(link))
    .flatMap((link) => {
      const { path, anchor } = targetOf(page, link);
      if (!known.exists(path)) return [`${page.path}: ${link} leads nowhere`];
      if (anchor === undefined) return [];
      const target = pages.get(path) ?? pages.get(`${path}/README.md`);
      if (target !== undefined && !anchorsOf(target.text).has(anchor))
        return [`${page.path}: ${link} has no such anchor`];
      return [];
    });
}

/** Commands in `sh` blocks and in inline code. */
export function commandsOf(text: string): string[] {
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap((found) => (found[1] ?? "").split("\n"));
  const inline = [...withoutFences(text).matchAll(/`([^`\n]+)`/g)].map((found) => found[1] ?? "");
  return [...blocks, ...inline].flatMap((line) => line.split(/ \| | && |\s+# /)).map((command) => command.trim());
}

function commandProblems(page: Page, known: Known): string[] {
  return commandsOf(page.text).flatMap((command) => {
    const wrong = (why: string) => [`${page.path}: \`${command}\` ${why}`];
    const words = command.split(/\s+/);
    const pnpm = words.findIndex((word) => /^pnpm(@\S+)?$/.test(word));
    if (pnpm === 0 || (pnpm > 0 && words[0] === "npx")) {
      const version = words[pnpm]?.split("@")[1];
      if (version !== undefined && `pnpm@${version}` !== known.packageManager)
        return wrong(`is not ${known.packageManager}`);
      const rest = words.slice(pnpm + 1);
      const filter = rest.indexOf("--filter");
      // `--filter PACKAGE script` and `run script` name a package's script.
      const run = Math.max(rest.indexOf("run"), filter < 0 ? -1 : filter + 1);
      if (run >= 0 && !rest.includes("exec"))
        return known.packageScripts.has(rest[run + 1] ?? "") ? [] : wrong("is no script of a package");
      const [name = "", binary = ""] = rest.filter((word) => !word.startsWith("-"));
      if (name === "exec") return known.binaries.has(binary) ? [] : wrong("runs a tool that is not installed");
      return name === "" || name === "…" || PNPM_ITSELF.has(name) || known.scripts.has(name)
        ? []
        : wrong("is no script");
    }
    if (words[0] === "node" || words[0] === "bash") {
      const file = words.slice(1).find((word) => !word.startsWith("-"));
      if (file === undefined || !/[/.]/.test(file)) return [];
      return known.exists(file) || known.exists(join(dirname(page.path), file))
        ? []
        : wrong("runs a file that is not there");
    }
    if (words[0] === "eoc" && words[1] !== undefined && /^[a-z]/.test(words[1]) && !known.commands.has(words[1])) {
      return wrong("is no command of eoc");
    }
    return [];
  });
}

function fenceProblems(page: Page): string[] {
  const fences = [...page.text.matchAll(/^```([^\n`]*)\n[\s\S]*?^```$/gm)].map((found) => found[1] ?? "");
  return fences.flatMap((info) => {
    const [language = "", extra] = info.split(" ");
    if (!FENCES.has(language)) return [`${page.path}: nobody checks a block in ${language}`];
    // `no-run`: compiled here, and run where its server is.
    if (language === "ts" && extra !== undefined && extra !== "no-run" && page.path !== "docs/quick-start.md") {
      return [`${page.path}: a \`ts\` block with “${extra}” is not run`];
    }
    return [];
  });
}

/** Pages in docs/ that no way leads to from docs/index.md. */
function orphans(pages: ReadonlyMap<string, Page>, known: Known): string[] {
  const seen = new Set<string>();
  const visit = (path: string) => {
    const page = pages.get(path);
    if (page === undefined || seen.has(path)) return;
    seen.add(path);
    for (const link of linksOf(page.text).filter((each) => !isOutside(each))) {
      const target = targetOf(page, link).path;
      if (known.isFolder(target)) for (const each of pages.keys()) if (dirname(each) === target) visit(each);
      visit(target);
    }
  };
  visit("docs/index.md");
  return [...pages.keys()]
    .filter((path) => path.startsWith("docs/") && !seen.has(path))
    .map((path) => `${path}: no way leads here from docs/index.md`);
}

/** Everything that is wrong with the pages. */
export function problemsOf(list: readonly Page[], known: Known): string[] {
  const pages = new Map(list.map((page) => [page.path, page]));
  return [
    ...list.flatMap((page) => [
      ...linkProblems(page, pages, known),
      ...outsideProblems(page),
      ...commandProblems(page, known),
      ...fenceProblems(page),
    ]),
    ...orphans(pages, known),
  ];
}

/** Every page that somebody reads. */
export function readPages(): Page[] {
  const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.md", "llms.txt"], {
    cwd: root,
    encoding: "utf8",
  });
  return files
    .split("\n")
    .filter((path) => path !== "" && !/^\.changeset\/|CHANGELOG|^tools\/template\//.test(path))
    .filter((path) => existsSync(join(root, path)))
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
}

function knownHere(): Known {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const bins = new Set(readdirSync(join(root, "node_modules/.bin")));
  const commands = readdirSync(join(root, "packages/cli/src/commands")).map((file) => file.split(/[-.]/)[0] ?? "");
  const inside = (path: string) => !relative(root, join(root, path)).startsWith("..");
  return {
    exists: (path) => inside(path) && existsSync(join(root, path)),
    isFolder: (path) => existsSync(join(root, path)) && statSync(join(root, path)).isDirectory(),
    scripts: new Set(Object.keys(manifest.scripts)),
    packageScripts: new Set(
      readdirSync(join(root, "packages")).flatMap((name) =>
        Object.keys(JSON.parse(readFileSync(join(root, "packages", name, "package.json"), "utf8")).scripts ?? {}),
      ),
    ),
    binaries: bins,
    commands: new Set(commands),
    packageManager: manifest.packageManager,
  };
}

if (process.argv[1] === import.meta.filename) {
  const pages = readPages();
  const problems = problemsOf(pages, knownHere());
  for (const problem of problems) console.error(problem);
  const hosts = new Set(outsideLinks(pages).map((link) => (URL.canParse(link) ? new URL(link).hostname : link)));
  console.log(`${pages.length} pages, ${pages.flatMap(({ text }) => linksOf(text)).length} links`);
  console.log(`hosts outside: ${[...hosts].sort().join(", ")}`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
