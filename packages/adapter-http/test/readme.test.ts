import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { PROBLEMS } from "../src/handler/problem.js";
import type { HttpOutcome } from "../src/options.js";
import { ANSWER_CASES } from "./answer-cases.js";
import { PROBLEM_CASES } from "./handler/problem-cases.js";
import { attemptsOf, WIRE_CASES } from "./wire-cases.js";

const README = new URL("../README.md", import.meta.url);

function outcomeText(outcome: HttpOutcome): string {
  if (outcome.ok === true) return outcome.value === undefined ? "applied, no value" : "applied";
  if (outcome.ok === "unknown") return `**unknown** \`${outcome.code}\``;
  if (outcome.retryable === false) return `not applied, final \`${outcome.code}\``;
  return `not applied, retried${outcome.retryAfterMs === undefined ? "" : " after the wait"} \`${outcome.code}\``;
}

const bold = (verdict: string) => verdict.replace(/^unknown/, "**unknown**");

/** A table as the formatter leaves it. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((cells) => cells[column]!.length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

const TABLES: Record<string, string> = {
  answers: table(
    ["answer", "to a request that changes state", "to a read"],
    ANSWER_CASES.map(({ answer, change, read }) => [answer, bold(change), bold(read)]),
  ),
  connections: table(
    ["the server", "`POST`", "dispatches", "effects", "`GET`", "dispatches"],
    WIRE_CASES.map(({ what, post, get, effects }) => [
      what,
      outcomeText(post),
      String(attemptsOf(post)),
      effects.join(" or "),
      outcomeText(get),
      String(attemptsOf(get)),
    ]),
  ),
  problems: table(["status", "code", "what leads to it"], problemRows()),
};

/** The refusals in the order of their status, each with all that leads to it. */
function problemRows(): string[][] {
  return Object.entries(PROBLEMS).map(([code, [status]]) => {
    const reasons = PROBLEM_CASES.filter((each) => each.code === code).map(({ what }) => what);
    // Where the problem's `type` leads.
    return [String(status), `<a id="${code}"></a>\`${code}\``, reasons.join("; ")];
  });
}

describe("the README", () => {
  it("shows the tables that the other tests are made of (`vitest -u` rewrites them)", async () => {
    const text = await readFile(README, "utf8");
    const current = text.replace(
      /(<!-- table: (\w+) -->\n).*?(<!-- \/table -->)/gs,
      (_, start: string, name: string, end: string) => `${start}${TABLES[name]!}\n${end}`,
    );
    expect(current.match(/<!-- \/table -->/g)).toHaveLength(Object.keys(TABLES).length);
    await expect(current).toMatchFileSnapshot("../README.md");
  });
});
