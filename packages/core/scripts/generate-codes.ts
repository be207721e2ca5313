// Writes docs/codes.md from the lists in the sources: `node packages/core/scripts/generate-codes.ts`.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../../..");
const source = (file: string) => readFileSync(join(root, "packages/core/src", file), "utf8");

/** `/** meaning *\/ code` pairs of one list, in order. */
function entries(text: string, list: string): { code: string; meaning: string; value: string }[] {
  const body = text.slice(text.indexOf(`${list} =`)).split("as const")[0] ?? "";
  return [...body.matchAll(/\/\*\* (.*?) \*\/\s+"?([a-z_]+)"?(?:: (\w+))?,/g)].map((found) => ({
    meaning: found[1] ?? "",
    code: found[2] ?? "",
    value: found[3] ?? "",
  }));
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, column) => Math.max(cell.length, ...rows.map((row) => (row[column] ?? "").length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(head), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...rows.map(line)].join("\n");
}

/** The whole page. */
export function codesPage(): string {
  const reasons = entries(source("report/terminal-reason.ts"), "TERMINAL_REASONS");
  const errors = entries(source("errors.ts"), "EOC_ERROR_CODES");
  return `# Codes

Every \`reason\` that a row or a report can end with, every code of an \`EocError\`, and what each means. Made from the sources by
\`packages/core/scripts/generate-codes.ts\`; a test checks that it is current.

## Why an action or an execution ended (\`reason\`)

\`failClosed\`: whether such an end makes the report \`failClosed\` by itself.

${table(
  ["reason", "failClosed", "meaning"],
  reasons.map(({ code, value, meaning }) => [`\`${code}\``, value === "true" ? "yes" : "no", meaning]),
)}

## What an \`EocError\` carries (\`code\`)

${table(
  ["code", "meaning"],
  errors.map(({ code, meaning }) => [`\`${code}\``, meaning]),
)}
`;
}

if (process.argv[1] === import.meta.filename) writeFileSync(join(root, "docs/codes.md"), codesPage());
