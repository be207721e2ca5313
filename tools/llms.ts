// Writes llms.txt with `--write`, from docs/index.md and the first sentence of each page; without, says whether it is stale.
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, normalize } from "node:path";

const root = join(import.meta.dirname, "..");
const file = join(root, "llms.txt");

/** The first sentence of a page's first paragraph, without markup. */
export function firstSentenceOf(text: string): string {
  const paragraphs = text.replaceAll(/<!--[\s\S]*?-->/g, "").split(/\n{2,}/);
  const prose =
    paragraphs.find((each) => /^[A-Z\p{Pi}“"`*@]/u.test(each.trim()) && !/^(#|\||```|- )/.test(each.trim())) ?? "";
  const plain = prose.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").replaceAll(/\*\*|(?<!\w)_(?=\w)|(?<=\w)_(?!\w)/g, "");
  const [sentence = ""] = plain
    .replaceAll(/\s+/g, " ")
    .trim()
    .split(/(?<=[.?!:])\s(?=[A-Z`“])/);
  return sentence.replace(/:$/, ".");
}

/** The whole file. */
export function llmsText(): string {
  const index = readFileSync(join(root, "docs/index.md"), "utf8");
  const [, ...sections] = index.split(/^## /m);
  const seen = new Set<string>();
  const parts = sections.map((section) => {
    const [title = ""] = section.split("\n");
    const links = [...section.matchAll(/\[([^\]]+)\]\(([^)#]+)\)/g)].flatMap(([, , target = ""]) => {
      const path = normalize(join("docs", target));
      if (seen.has(path) || !existsSync(join(root, path)) || statSync(join(root, path)).isDirectory()) return [];
      seen.add(path);
      const text = readFileSync(join(root, path), "utf8");
      const name = /^# (.+)$/m.exec(text)?.[1] ?? path;
      return [`- [${name}](${path}): ${firstSentenceOf(text)}`];
    });
    return links.length === 0 ? "" : `## ${title}\n\n${links.join("\n")}\n`;
  });
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const [, summary = ""] = /^(\*\*Approved is not executed\.\*\*[\s\S]*?)\n\n/m.exec(readme) ?? [];
  const rules = [
    "`ok: false` from an executor promises that nothing was applied. When that is not known, throw.",
    "An `unknown` outcome is never retried for `once` actions (the default). Do not call `execute` again: reconcile, or look.",
    "`execute` never rejects: read `report.status` and every row of `report.actions`.",
    "An idempotency key names an intent. A tool call's id, a time or a random id is none.",
    "Ports that a policy needs are passed as options; a missing one denies with `missing_port`.",
  ];
  return `# EOC

> ${summary.replaceAll("**", "").replaceAll(/\s+/g, " ")}

What to know before writing code with it:

${rules.map((rule) => `- ${rule}`).join("\n")}

${parts.filter((part) => part !== "").join("\n")}`;
}

if (process.argv[1] === import.meta.filename) {
  if (process.argv.includes("--write")) writeFileSync(file, llmsText());
  else if (!existsSync(file) || readFileSync(file, "utf8") !== llmsText()) {
    console.error("llms.txt is stale: node tools/llms.ts --write");
    process.exitCode = 1;
  }
}
