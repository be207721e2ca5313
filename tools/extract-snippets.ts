import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** One ```ts block of a Markdown file, or one ```ts no-run block: compiled as well, and left at that, as it needs a server. */
export interface Snippet {
  /** Where it stands, such as `README.md:12`. */
  readonly at: string;
  /** The file that it was written to. */
  readonly file: string;
  /** What its `console.log(…); // text` lines say that they print. */
  readonly prints: readonly string[];
  readonly runs: boolean;
}

const root = new URL("..", import.meta.url).pathname;
const target = join(root, ".snippets");

/** Every page whose snippets have to run. */
export function pages(): string[] {
  const packageReadmes = ["packages", "apps"].flatMap((group) =>
    readdirSync(join(root, group)).map((name) => `${group}/${name}/README.md`),
  );
  const docs = readdirSync(join(root, "docs"), { recursive: true })
    .map(String)
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`);
  return ["README.md", "CONTRIBUTING.md", ...packageReadmes, ...docs];
}

/** Writes all snippets out as modules of their own, where the type checker and the tests find them. */
export function extractSnippets(): Snippet[] {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  return pages().flatMap(snippetsOf);
}

function snippetsOf(page: string): Snippet[] {
  let text: string;
  try {
    text = readFileSync(join(root, page), "utf8");
  } catch {
    return [];
  }
  return [...text.matchAll(/^```ts( no-run)?\n([\s\S]*?)^```$/gm)].map((match, index) => {
    const code = match[2] ?? "";
    const line = text.slice(0, match.index).split("\n").length;
    const file = join(target, `${page.replaceAll(/[^A-Za-z0-9]+/g, "-")}-${index + 1}.ts`);
    writeFileSync(file, `// From ${page}:${line}.\n${code}\nexport {};\n`);
    const prints = [...code.matchAll(/^\s*console\.log\(.*\);\s*\/\/ (.*)$/gm)].map((found) => found[1] ?? "");
    return { at: `${page}:${line}`, file, prints, runs: match[1] === undefined };
  });
}

if (process.argv[1] === import.meta.filename) {
  console.log(`${extractSnippets().length} snippets`);
}
