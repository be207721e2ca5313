import { writeRun } from "./code-blocks.js";
import type { Recording } from "./recording.js";

/** A program that runs what is on the screen again, in virtual time. */
export function writeProgram({ eoc, setup }: Recording): string {
  const { imports, lines } = writeRun(setup, eoc.met);
  return [
    importOf("@eoc/core", imports.core),
    importOf("@eoc/testkit", imports.testkit),
    "",
    ...lines,
    "",
    'console.log(report.status, report.reason ?? "", world.effects);',
    "",
  ].join("\n");
}

/** A vitest test that passes as it is, and comes to the report whose hash is on the screen. */
export function writeTest({ eoc, setup, reportHash }: Recording): string {
  const { imports, lines } = writeRun(setup, eoc.met);
  const { length } = eoc.effects;
  const name = `${setup.name}, seed ${setup.seed}: ${eoc.report.status}, ${length} ${length === 1 ? "effect" : "effects"}`;
  return [
    importOf("@eoc/core", imports.core),
    importOf("@eoc/decision-schema", ["canonicalJson", "sha256Hex"]),
    importOf("@eoc/testkit", imports.testkit),
    importOf("@eoc/trace", ["reportToDict"]),
    importOf("vitest", ["expect", "it"]),
    "",
    `it(${JSON.stringify(name)}, async () => {`,
    ...lines.map((line) => (line === "" ? "" : `  ${line}`)),
    "",
    `  expect(report.status).toBe(${JSON.stringify(eoc.report.status)});`,
    `  expect(world.effects).toHaveLength(${length});`,
    "  expect(sha256Hex(canonicalJson(reportToDict(report)))).toBe(",
    `    ${JSON.stringify(reportHash)},`,
    "  );",
    "});",
    "",
  ].join("\n");
}

function importOf(from: string, names: readonly string[]): string {
  const sorted = [...names].sort((a, b) => bare(a).localeCompare(bare(b)));
  const line = `import { ${sorted.join(", ")} } from "${from}";`;
  return line.length <= 120 ? line : `import {\n${sorted.map((name) => `  ${name},`).join("\n")}\n} from "${from}";`;
}

function bare(name: string): string {
  return name.replace("type ", "");
}
