// Writes docs/GUARANTEES.md from rows.ts with `--write`; without, says what is wrong with it.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { markdownTable } from "../markdown-table.ts";
import { type NamedTest, namedTests } from "../named-tests.ts";
import { CLAUSES, GUARANTEES, type Guarantee, SECTIONS } from "./rows.ts";

const page = join(import.meta.dirname, "../../docs/GUARANTEES.md");

const fileOf = (test: string) => test.slice(0, test.indexOf(" > "));
const nameOf = (test: string) => test.slice(test.indexOf(" > ") + 3);
const sectionOf = (clause: string) => clause.split(".")[0] ?? "";

/** What keeps the table from being true: a clause without a row, a test that is not there, does not run, or is about something else. */
export function problemsOf(rows: readonly Guarantee[], tests: readonly NamedTest[]): string[] {
  const known = new Map(tests.map((test) => [`${test.file} > ${test.name}`, test]));
  const clauses = rows.map(({ clause }) => clause);
  const expected = [
    ...Object.entries(CLAUSES).flatMap(([section, count]) =>
      Array.from({ length: count }, (_, index) => `${section}.${index + 1}`),
    ),
    "S10",
  ];
  return [
    ...expected.filter((clause) => !clauses.includes(clause)).map((clause) => `${clause} has no row`),
    ...clauses.filter((clause) => !expected.includes(clause)).map((clause) => `${clause} is no clause`),
    ...clauses.filter((clause, index) => clauses.indexOf(clause) !== index).map((clause) => `${clause} has two rows`),
    ...rows.flatMap((row) => [
      ...row.tests.flatMap((test) => {
        const found = known.get(test);
        if (found === undefined) return [`${row.clause} names a test that is not there: ${test}`];
        if (found.modifier !== undefined)
          return [`${row.clause} names a test that may not run (${found.modifier}): ${test}`];
        return [];
      }),
      ...(row.tests.some((test) => cites(test, row.clause))
        ? []
        : [`${row.clause}: none of its tests cites the clause`]),
    ]),
  ];
}

/** `S3.4 to S3.8` and `S1–S10` cite what lies between. */
function cites(test: string, clause: string): boolean {
  const numberOf = (text: string) => Number(text.slice(1).split(".")[0]) * 1000 + Number(text.split(".")[1] ?? 0);
  const wanted = numberOf(clause);
  const name = nameOf(test);
  if (new RegExp(`\\b${clause.replace(".", "\\.")}(?![\\d.]\\d|\\d)`).test(name)) return true;
  return [...name.matchAll(/(S\d+(?:\.\d+)?)(?: to |–)(S\d+(?:\.\d+)?)/g)].some(
    ([, from = "", to = ""]) => numberOf(from) <= wanted && wanted <= numberOf(to),
  );
}

function testsOf({ clause, tests }: Guarantee): string {
  const files = [...new Set(tests.map(fileOf))];
  const links = files.map((file) => {
    const names = tests.filter((test) => fileOf(test) === file).map(nameOf);
    return `[${file.replace("packages/", "").replace("/test/", " ")}](../${file}): ${names.map((name) => `“${name}”`).join(", ")}`;
  });
  return `- ${clause}: ${links.join("; ")}`;
}

/** The whole page. */
export function guaranteesPage(): string {
  const sections = Object.entries(SECTIONS).map(([section, title]) => {
    const rows = GUARANTEES.filter(({ clause }) => sectionOf(clause) === section);
    const cells = rows.map(({ clause, when, does, promisesNot }) => [
      `<a id="${clause.toLowerCase().replace(".", "-")}"></a>${clause}`,
      when,
      does,
      promisesNot === "" ? "—" : promisesNot,
    ]);
    const head = ["clause", "when this happens", "EOC does", "EOC does not promise"];
    return `## ${section} ${title}\n\n${markdownTable(head, cells)}\n\nShown by\n\n${rows.map(testsOf).join("\n")}\n`;
  });
  return `# Guarantees

In short: an action that may be applied only once (the default) is retried only when it is known that the last dispatch was not applied; everything
can be stopped mid-flight; and the record says what happened, "we don't know" included.

Every row is a clause, and every clause is held by the tests under its table. The page is made from
[tools/guarantees/rows.ts](../tools/guarantees/rows.ts) by \`node tools/guarantees/page.ts --write\`; \`pnpm check\` fails when a row names a test that
is not there, is skipped or cites another clause, and \`pnpm test\` fails when one of these tests does not pass.

${sections.join("\n")}`;
}

if (process.argv[1] === import.meta.filename) {
  const problems = problemsOf(GUARANTEES, namedTests());
  if (process.argv.includes("--write")) writeFileSync(page, guaranteesPage());
  else if (readFileSync(page, "utf8") !== guaranteesPage())
    problems.push("docs/GUARANTEES.md is stale: run with --write");
  for (const problem of problems) console.error(problem);
  console.log(`${GUARANTEES.length} rows, ${GUARANTEES.flatMap(({ tests }) => tests).length} tests`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
