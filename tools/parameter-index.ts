// Writes docs/PARAMETER_INDEX.md with `--write`; without, says whether it is stale. Made of the registries, the policy and the options as built.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { definePolicy } from "../packages/core/dist/index.js";
import { CONTEXT_KEY_REGISTRY, EXTERNAL_KEY_REGISTRY } from "../packages/decision-schema/dist/index.js";
import { markdownTable } from "./markdown-table.ts";

const root = join(import.meta.dirname, "..");
const page = join(root, "docs/PARAMETER_INDEX.md");

interface Member {
  readonly name: string;
  readonly type: string;
  readonly says: string;
}

/** The members of an interface with what their docstrings say. */
function membersOf(file: string, name: string): Member[] {
  const text = readFileSync(join(root, file), "utf8");
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found = source.statements.find(
    (node): node is ts.InterfaceDeclaration => ts.isInterfaceDeclaration(node) && node.name.text === name,
  );
  if (found === undefined) throw new Error(`${file} has no interface ${name}`);
  return found.members.filter(ts.isPropertySignature).map((member) => {
    const docs = ts.getJSDocCommentsAndTags(member).filter(ts.isJSDoc);
    const says = docs.map(({ comment }) => ts.getTextOfJSDocComment(comment) ?? "").join(" ");
    const type = member.type?.getText().replaceAll(/\s+/g, " ") ?? "";
    return { name: member.name.getText(), type, says: says.replaceAll(/\s+/g, " ").trim() };
  });
}

/** For members whose name and type say it all in the sources. */
const PLAINLY: Record<string, string> = {
  "retry.initialBackoffMs": "Wait before the first retry (S3.5).",
  "retry.maxBackoffMs": "Longest wait between two attempts, `retryAfterMs` aside.",
  "retry.backoffMultiplier": "What every further wait is multiplied by.",
  "retry.jitter": 'Spreads the waits: `"none"`, `"full"` (from 0) or `"equal"` (from the half), keyed by the seed.',
  "timeout.attemptTimeoutMs":
    "Limit of one attempt; the deadline may make it shorter (S4.2). 0 is no time, not no limit.",
  "idempotency.keyGenerator":
    "Makes the key of an action that brings none: by its content, or a function of action and context (S7.1).",
  "idempotency.onInProgress":
    'What to do while somebody else executes the key: `"deny"`, or `"wait"` within the deadline.',
  "rateLimit.global": "`{ limit, windowMs }` over all actions (S6.1).",
  "rateLimit.onExceeded": '`"wait"` if it fits the deadline, or `"deny"` (S6.3).',
  seed: "Keys the jitter: the same seed, the same waits (S3.5). The execution's id unless given.",
  executionId:
    "Names the execution in its report, events and journal: no two that share a journal at a time have the same. A random UUID unless given.",
  clock: "All time (S4.7). The system clock unless given.",
  killSwitch: "Read before every dispatch, obeyed in flight (S2).",
  rateLimiter: "Needed by a policy with rate limits (S6).",
  idempotencyStore: "Needed by a policy with idempotency (S7).",
  retryBudget: "Retries over all executions that share it (S3.7).",
  journal: "Written ahead: no durable intent, no dispatch (S8.2).",
  gates: "Checks of your own before every dispatch, in order (S5.5).",
};

const saysOf = (name: string, says: string): string => {
  const text = PLAINLY[name] ?? says;
  if (text === "") throw new Error(`nothing is said of ${name}`);
  return cell(text);
};

const POLICY = "packages/core/src/policy/execution-policy.ts";
const code = (text: string) => `\`${text}\``;
const cell = (text: string) => text.replaceAll("|", "\\|");

function policyRows(): string[][] {
  const policy = definePolicy({});
  const sections = membersOf(POLICY, "ExecutionPolicy");
  return sections.flatMap(({ name, type, says }) => {
    const value = policy[name as keyof typeof policy];
    if (typeof value !== "object") return [[code(name), code(JSON.stringify(value)), saysOf(name, says)]];
    return membersOf(POLICY, type).map((member) => {
      const fallback = (value as unknown as Record<string, unknown>)[member.name];
      const shown =
        fallback === undefined || JSON.stringify(fallback) === "{}" ? "none" : code(JSON.stringify(fallback));
      return [code(`${name}.${member.name}`), shown, saysOf(`${name}.${member.name}`, member.says)];
    });
  });
}

/** The whole page. */
export function parameterIndex(): string {
  const options = membersOf("packages/core/src/options.ts", "ExecuteOptions");
  const contextRows = Object.entries(CONTEXT_KEY_REGISTRY).map(([key, { volatile, type, description }]) => [
    code(key),
    String(type),
    volatile ? "yes" : "no",
    description,
  ]);
  const exec = Object.entries(EXTERNAL_KEY_REGISTRY).filter(([key]) => key.startsWith("exec."));
  return `# Parameter index

The fields of a policy, the options of \`execute\`, the keys of a context and the \`exec.*\` trace keys. What factories take (stores, limiters, adapters, journals) is in their package's README and docstrings. Made from the registries and the sources by \`node tools/parameter-index.ts --write\`; \`pnpm check\` fails when it is stale.

## Policy

Every field is optional; unknown fields are refused. \`definePolicy\` fills in the defaults, \`explainPolicy\` says what the worst case is.

${markdownTable(["field", "default", "what it does"], policyRows())}

## Options of \`execute\`

${markdownTable(
  ["option", "what it is"],
  options.map(({ name, says }) => [code(name), saysOf(name, says)]),
)}

## Context keys

Whoever calls writes them; EOC reads \`now_ms\` and the keys that cite S2.1. Keys that are not listed are allowed. A volatile key is left out of derived idempotency keys.

${markdownTable(["key", "type", "volatile", "what it says"], contextRows)}

## Trace keys

What \`addExecutionTrace\` writes. Those introduced in 0.2.3 are absent from the \`reference\` profile.

${markdownTable(
  ["key", "introduced in", "what it says"],
  exec.map(([key, { introduced_in, description }]) => [code(key), introduced_in, description]),
)}
`;
}

if (process.argv[1] === import.meta.filename) {
  if (process.argv.includes("--write")) writeFileSync(page, parameterIndex());
  else if (readFileSync(page, "utf8") !== parameterIndex()) {
    console.error("docs/PARAMETER_INDEX.md is stale: run with --write");
    process.exitCode = 1;
  }
}
