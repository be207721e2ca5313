import { readFileSync } from "node:fs";
import { readVectors } from "../../../decision-schema/test/vectors.js";
import { createRedactor, type RedactorOptions } from "../../src/redaction/redactor.js";
import { textsIn } from "./texts-in.js";

interface Leak {
  readonly input: { readonly log_data: unknown };
  readonly required: "must" | "should";
  readonly secrets: readonly string[];
}

interface Recall {
  readonly found: number;
  readonly of: number;
}

const read = (name: string) => JSON.parse(readFileSync(new URL(name, import.meta.url), "utf8"));
const leaks = readVectors(new URL("../vectors/redaction.json", import.meta.url)).section(
  "upstream_leaks",
) as unknown as Leak[];
const wild: { secret: string; lines: string[] } = read("./wild.json");
const benign: { records: Record<string, unknown> } = read("./benign.json");

function foundOf(samples: readonly { readonly input: unknown; readonly secrets: readonly string[] }[]): Recall {
  const { redact } = createRedactor();
  const found = samples.filter(({ input, secrets }) => {
    const texts = textsIn(redact(input));
    return !texts.some((text) => secrets.some((secret) => text.includes(secret)));
  });
  return { found: found.length, of: samples.length };
}

/** Of what the reference leaks and a port must or should mask. */
export function recallOfLeaks(required: Leak["required"]): Recall {
  const some = leaks.filter((leak) => leak.required === required);
  return foundOf(some.map(({ input, secrets }) => ({ input: input.log_data, secrets })));
}

/** Of the secrets in log lines from the wild. */
export function recallInTheWild(): Recall {
  return foundOf(wild.lines.map((input) => ({ input, secrets: [wild.secret] })));
}

/** Places of harmless data that a redactor masks. */
export function alarmsOf(options: RedactorOptions): string[] {
  return createRedactor(options)
    .redactWithManifest(benign.records)
    .manifest.map(({ pointer, by, rule }) => `${pointer} (${by}: ${rule})`);
}

/** Keys and values of the harmless data. */
export function harmlessSamples(): number {
  return leavesOf(benign.records);
}

function leavesOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce((sum: number, member) => sum + leavesOf(member), 0);
}
