import {
  definePolicy,
  type ExecutionPlan,
  type ExecutionPolicy,
  type ExecutionPolicyInput,
  explainPolicy,
  type FinalDecisionInput,
  type Issue,
  isEocError,
  type PolicyBounds,
  planExecution,
} from "@eoc/core";
import { readArguments } from "../arguments.js";
import { EXIT, type ExitCode } from "../exit-code.js";
import { type CliIo, readJson } from "../io.js";
import { notesOn } from "../policy-notes.js";
import { printable } from "../printable.js";
import type { Command } from "./command.js";

const OPTIONS = { decision: { type: "string" }, json: { type: "boolean" } } as const;

/** `eoc policy check`: whether a policy, and a decision where one is given, is valid, and the worst that can come of them. */
export const policyCheck: Command = {
  name: "policy check",
  help: `  eoc policy check FILE  the worst that a policy allows
      --decision FILE      for the plan of this decision
      --json               as JSON
`,
  run,
};

async function run(argv: readonly string[], io: CliIo): Promise<ExitCode> {
  const { values, files } = readArguments(argv, OPTIONS, { atMost: 1 });
  const file = files[0]!;
  const input = (await readJson(file, io)) as ExecutionPolicyInput;
  const policy = orIssues(() => definePolicy(input));
  if ("issues" in policy) return refuse(file, policy.issues, values.json === true, io);
  let plan: ExecutionPlan | undefined;
  if (values.decision !== undefined) {
    const decision = (await readJson(values.decision, io)) as FinalDecisionInput;
    const planned = orIssues(() => planExecution(decision, policy));
    if ("issues" in planned) return refuse(values.decision, planned.issues, values.json === true, io);
    plan = planned;
  }
  const bounds = explainPolicy(policy, plan);
  const notes = notesOn(policy, plan);
  if (values.json) io.stdout.write(`${JSON.stringify({ ok: true, bounds, notes }, null, 2)}\n`);
  else io.stdout.write(present(file, policy, bounds, plan, notes));
  return EXIT.ok;
}

function orIssues<T>(make: () => T): T | { issues: readonly Issue[] } {
  try {
    return make();
  } catch (error) {
    if (isEocError(error)) return { issues: error.issues ?? [] };
    throw error;
  }
}

function refuse(file: string, issues: readonly Issue[], json: boolean, io: CliIo): ExitCode {
  if (json) io.stdout.write(`${JSON.stringify({ ok: false, file, issues }, null, 2)}\n`);
  else {
    const lines = issues.map(({ path, expected, received }) => {
      const found = received === undefined ? "" : `, not ${received}`;
      return printable(`  ${path === "" ? "it" : path} must be ${expected}${found}`);
    });
    io.stdout.write(`${printable(file)} is not valid:\n${lines.join("\n")}\n`);
  }
  return EXIT.failed;
}

function present(
  file: string,
  policy: ExecutionPolicy,
  bounds: PolicyBounds,
  plan: ExecutionPlan | undefined,
  notes: readonly string[],
): string {
  const { maxRetries } = policy.retry;
  const { maxTotalTimeMs, abortGraceMs, portTimeoutMs } = policy.timeout;
  const rows: [what: string, worst: string][] = [
    ["dispatches of an action", `${bounds.maxDispatchesPerAction} (1 + ${maxRetries} retries)`],
    ...(plan === undefined ? [] : [["dispatches of the plan", String(bounds.maxDispatches)] as [string, string]]),
    ["in flight at once", String(policy.maxConcurrency)],
    ["backoff of an action", `${bounds.maxBackoffMs} ms`],
    ["until the report", `${bounds.maxWallMs} ms (${maxTotalTimeMs} + grace ${abortGraceMs} + ports ${portTimeoutMs})`],
  ];
  const actions = (plan?.actions ?? []).map(({ index, action, id, effect }) => {
    const count = action === "HOLD" ? "never dispatched" : `${effect}, at most ${bounds.maxDispatchesPerAction}`;
    return printable(`  ${index} ${action} ${id}: ${count}`);
  });
  return `${[
    `${printable(file)} is valid. At worst:`,
    ...rows.map(([what, worst]) => `  ${what.padEnd(26)}${worst}`),
    ...(actions.length === 0 ? [] : ["", ...actions]),
    ...(notes.length === 0 ? [] : ["", ...notes.map((note) => `Note: ${note}`)]),
  ].join("\n")}\n`;
}
