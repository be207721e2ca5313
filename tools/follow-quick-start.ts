// Does what docs/quick-start.md says, to the letter, in an empty folder: saves its files, runs its commands, compares what they print.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./local-registry.ts";

/** One block of the page that asks for something. */
export type Step =
  | { readonly kind: "save"; readonly file: string; readonly text: string }
  | { readonly kind: "run"; readonly command: string }
  /** What the last command printed has these lines, in this order. */
  | { readonly kind: "see"; readonly lines: readonly string[] };

/** What a page asks for, in its order. */
export function stepsOf(text: string): Step[] {
  return [...text.matchAll(/^```(\w+)(?: file=(\S+))?\n([\s\S]*?)^```$/gm)].flatMap(
    ([, language, file, body = ""]): Step[] => {
      if (file !== undefined) return [{ kind: "save", file, text: body }];
      const lines = body.split("\n").filter((line) => line.trim() !== "");
      if (language === "sh") return lines.map((command) => ({ kind: "run", command }));
      if (language === "text") return [{ kind: "see", lines }];
      throw new Error(`nothing is to be done with a block in ${language}`);
    },
  );
}

/** The lines that what was printed lacks, colours and runs of spaces aside. */
export function unseen(printed: string, lines: readonly string[]): string[] {
  const plain = (line: string) =>
    line
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours of a terminal.
      .replaceAll(/\u001b\[[\d;]*m/g, "")
      .replaceAll(/\s+/g, " ")
      .trim();
  const seen = printed.split("\n").map(plain);
  let from = 0;
  return lines.filter((line) => {
    const at = seen.indexOf(plain(line), from);
    if (at >= 0) from = at + 1;
    return at < 0;
  });
}

/** Follows the page and gives the transcript. Rejects at the first thing that is not as it says. */
export async function followQuickStart(env: Record<string, string>): Promise<string> {
  const page = readFileSync(join(import.meta.dirname, "../docs/quick-start.md"), "utf8");
  const folder = mkdtempSync(join(tmpdir(), "eoc-quick-start-"));
  const transcript: string[] = [];
  let printed = "";
  try {
    for (const step of stepsOf(page)) {
      if (step.kind === "save") {
        writeFileSync(join(folder, step.file), step.text);
        transcript.push(`saved ${step.file}`);
      } else if (step.kind === "run") {
        printed = await run("bash", ["-c", step.command], folder, env);
        transcript.push(`$ ${step.command}\n${printed.trimEnd()}`);
      } else {
        const missing = unseen(printed, step.lines);
        if (missing.length > 0) throw new Error(`the page says “${missing.join("”, “")}”; printed was\n${printed}`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return transcript.join("\n");
}
