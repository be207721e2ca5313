import type { ExecutionReport } from "@eoc/core";
import { renderTimeline, reportToDict } from "@eoc/trace";
import { shortNameOf } from "../scenario/scenario.js";
import type { ScenarioRun } from "./run-scenario.js";
import type { Source } from "./sources.js";
import { cut, printable, type Style, wrapped } from "./style.js";
import type { World } from "./world.js";

const WIDTH = 80;
const LABEL = 24;
const COLUMN = 22;
const NO_WORDS = "A bare decision, in the reference's form.";

/** One scenario: heading, timeline, then what EOC and naive retry say beside what really happened. */
export function presentRun(run: ScenarioRun, style: Style): string {
  const { scenario, report, events, world, naiveWorld, naiveBelief } = run;
  const heading = `── ${cut(printable(scenario.name), WIDTH - 10)} `;
  const line = (label: string, eoc: string, naive: string) =>
    `  ${cut(label, LABEL - 1).padEnd(LABEL)}${eoc.padEnd(COLUMN)} ${naive}`.trimEnd();
  const said = wordsOf(report);
  const effects = effectsOf(run).map(({ id, eoc, naive }) => {
    const note =
      naive === eoc
        ? ""
        : naive > eoc
          ? style.bad(eoc > 0 ? "  done again" : "  done all the same")
          : style.bad("  not done");
    return line(`  ${printable(id)}`, counted(eoc), counted(naive)) + note;
  });
  return [
    style.bold(heading.padEnd(WIDTH, "─")),
    ...(scenario.about === undefined
      ? []
      : wrapped(printable(scenario.about), WIDTH - 2).map((text) => `  ${style.dim(text)}`)),
    "",
    renderTimeline(events, { format: style.colour ? "ansi" : "text" }).trimEnd(),
    "",
    style.bold(line("", "EOC", "naive retry")),
    line("says", said.status, naiveBelief),
    ...(said.reason === "" ? [] : [line("because", said.reason, "")]),
    line("requests sent", String(world.requests.length), String(naiveWorld.requests.length)),
    style.dim("  in the world's ledger"),
    ...effects,
    `  ${style.dim(`journal: ${run.journalRecords === undefined ? "DOES NOT VERIFY" : `${run.journalRecords} records, verified up to its head`}`)}`,
    "",
    "",
  ].join("\n");
}

/** The scenarios by name, each with what it is about. */
export function presentList(sources: readonly Source[]): string {
  return sources
    .flatMap(({ scenario: { name, about = NO_WORDS } }) => {
      const lines = wrapped(printable(about), WIDTH - 30);
      return lines.map((line, index) => `${(index === 0 ? shortNameOf(name) : "").padEnd(28)}  ${line}\n`);
    })
    .join("");
}

/** The same, as a line of JSON each. */
export function listToJson(sources: readonly Source[]): string {
  const rows = sources.map(({ scenario }) => ({
    scenario: shortNameOf(scenario.name),
    about: scenario.about ?? NO_WORDS,
    expect: scenario.expect,
  }));
  return rows.map((row) => `${JSON.stringify(row)}\n`).join("");
}

/** All scenarios in one table, and where their records are. */
export function presentSummary(runs: readonly ScenarioRun[], folder: string, style: Style): string {
  const row = (...[name = "", says = "", eoc = "", naive = "", naiveEffects = "", expected = ""]: string[]) =>
    `  ${cut(name, 30).padEnd(31)}${says.padEnd(9)}${eoc.padStart(7)}   ${naive.padEnd(8)}${naiveEffects.padStart(7)}  ${expected}`.trimEnd();
  return [
    style.bold(`── Summary `.padEnd(WIDTH, "─")),
    style.dim(row("", "EOC", "effects", "naive", "effects", "as")),
    style.dim(row("", "says", "really", "says", "really", "expected")),
    ...runs.map(({ scenario, report, world, naiveWorld, naiveBelief, asExpected }) =>
      row(
        printable(scenario.name),
        report.status,
        String(world.ledger.length),
        naiveBelief,
        String(naiveWorld.ledger.length),
        asExpected === undefined ? "" : asExpected ? style.good("yes") : style.bad("NO"),
      ),
    ),
    "",
    `  Packets and journals: ${printable(folder)}`,
    "",
  ].join("\n");
}

/** One line of JSON: the extended wire form of the report, and what the demo knows besides. */
export function toJsonLine(run: ScenarioRun): string {
  const { scenario, report, world, naiveWorld, naiveBelief, asExpected, packetFile, journalFile, journalRecords } = run;
  return JSON.stringify({
    scenario: scenario.name,
    ...reportToDict(report),
    requests: world.requests.length,
    effects: tally(world),
    naive: { status: naiveBelief, requests: naiveWorld.requests.length, effects: tally(naiveWorld) },
    as_expected: asExpected ?? null,
    packet: packetFile,
    journal: journalFile,
    journal_verified: journalRecords !== undefined,
  });
}

function wordsOf({ status, reason, actions }: ExecutionReport): { status: string; reason: string } {
  const worst = actions.find((action) => action.status === status);
  const shown = reason ?? (status === "success" ? "" : (worst?.reason ?? ""));
  return { status, reason: shown };
}

function effectsOf({ report, world, naiveWorld }: ScenarioRun): { id: string; eoc: number; naive: number }[] {
  const ids = new Set([...report.actions.map(({ id }) => id), ...world.ledger, ...naiveWorld.ledger]);
  const [eoc, naive] = [tally(world), tally(naiveWorld)];
  return [...ids].map((id) => ({ id, eoc: eoc[id] ?? 0, naive: naive[id] ?? 0 }));
}

function tally({ ledger }: World): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const id of ledger) counts[id] = (counts[id] ?? 0) + 1;
  return counts;
}

function counted(effects: number): string {
  return effects === 1 ? "1 effect" : `${effects} effects`;
}
