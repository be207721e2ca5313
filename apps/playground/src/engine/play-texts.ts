import { definePolicy, type ExecutionPolicyInput, isEocError, planExecution } from "@eoc/core";
import { type FinalDecision, FinalDecisionSchema, type Issue, toIssues } from "@eoc/decision-schema";
import { parseScript, printScript, type Replies } from "../scenario/script-notation.js";
import type { PlaySetup } from "./play-setup.js";

/** A setup as it stands in the page's editors and links. */
export interface PlayTexts {
  readonly name: string;
  readonly decision: string;
  readonly policy: string;
  readonly script: string;
  readonly seed: string;
  readonly reconcile: boolean;
  readonly honoursKey: boolean;
  readonly haltAtMs?: number;
  /** Not editable: they come with the scenario. */
  readonly context: PlaySetup["context"];
  readonly restartAfterMs: number;
}

/** What is wrong with one of the editors: where in it, and why. */
export interface TextIssue {
  readonly field: "decision" | "policy" | "script";
  readonly where: string;
  readonly message: string;
}

/** JSON for people: objects on one line where they are short. */
export function pretty(value: unknown, indent = ""): string {
  const flat = flatJson(value);
  if (typeof value !== "object" || value === null || flat.length + indent.length <= 72) return flat;
  const deeper = `${indent}  `;
  const parts = Array.isArray(value)
    ? value.map((item) => deeper + pretty(item, deeper))
    : Object.entries(value).map(([key, item]) => `${deeper}${JSON.stringify(key)}: ${pretty(item, deeper)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  return `${open}\n${parts.join(",\n")}\n${indent}${close}`;
}

function flatJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flatJson).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const parts = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${flatJson(item)}`);
  return parts.length === 0 ? "{}" : `{ ${parts.join(", ")} }`;
}

export function textsOf(setup: PlaySetup): PlayTexts {
  const { name, decision, policy, world, seed, reconcile, context, restartAfterMs, haltAtMs } = setup;
  return {
    name,
    decision: pretty(decision),
    policy: pretty(policy),
    script: printScript(world.replies),
    seed,
    reconcile,
    honoursKey: world.honoursIdempotencyKey,
    context,
    restartAfterMs,
    ...(haltAtMs === undefined ? undefined : { haltAtMs }),
  };
}

/** Reads the editors: a setup, or what is wrong with them. Nothing in them is ever run. */
export function setupOfTexts(texts: PlayTexts): { setup?: PlaySetup; issues: TextIssue[] } {
  const issues: TextIssue[] = [];
  const decision = readDecision(texts.decision, issues);
  const policy = readPolicy(texts.policy, issues);
  const replies = readScript(texts.script, issues);
  if (decision === undefined || policy === undefined || replies === undefined) return { issues };
  const { name, seed, reconcile, honoursKey, context, restartAfterMs, haltAtMs } = texts;
  const setup: PlaySetup = {
    name,
    decision,
    policy,
    reconcile,
    world: { honoursIdempotencyKey: honoursKey, replies },
    seed,
    context,
    restartAfterMs,
    ...(haltAtMs === undefined ? undefined : { haltAtMs }),
  };
  return { setup, issues };
}

/** Lines of a script that no request ever meets, since the decision has no such action. They are no error. */
export function unmetLines({ decision, policy, world }: PlaySetup): TextIssue[] {
  const ids = new Set(["*", ...planExecution(decision, policy).actions.map(({ id }) => id)]);
  return [...world.replies.keys()]
    .filter((id) => !ids.has(id))
    .map((id) => ({
      field: "script",
      where: id,
      message: "no action of the decision has this id: the line does nothing",
    }));
}

function readJson(field: TextIssue["field"], text: string, issues: TextIssue[]): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    const reason = (error as Error).message.replace(/ in JSON.*$/s, "").replace(/, .*$/s, "");
    issues.push({ field, where: "JSON", message: text.trim() === "" ? "it is empty" : reason });
    return undefined;
  }
}

function readDecision(text: string, issues: TextIssue[]): FinalDecision | undefined {
  const json = readJson("decision", text, issues);
  if (json === undefined) return undefined;
  const parsed = FinalDecisionSchema.safeParse(json.value);
  if (!parsed.success) {
    issues.push(...toIssues(parsed.error, json.value).map((issue) => textIssue("decision", issue)));
    return undefined;
  }
  try {
    // The schema keeps members that it does not know; a key by another name would be no key.
    planExecution(parsed.data, {});
    return parsed.data;
  } catch (error) {
    if (!isEocError(error)) throw error;
    issues.push(...(error.issues ?? []).map((issue) => textIssue("decision", issue)));
    return undefined;
  }
}

function readPolicy(text: string, issues: TextIssue[]): ExecutionPolicyInput | undefined {
  const json = readJson("policy", text, issues);
  if (json === undefined) return undefined;
  try {
    definePolicy(json.value as ExecutionPolicyInput);
    return json.value as ExecutionPolicyInput;
  } catch (error) {
    if (!isEocError(error)) throw error;
    issues.push(...(error.issues ?? []).map((issue) => textIssue("policy", issue)));
    return undefined;
  }
}

function readScript(text: string, issues: TextIssue[]): Replies | undefined {
  const { replies, issues: wrong } = parseScript(text);
  issues.push(...wrong.map(({ line, message }) => ({ field: "script" as const, where: `line ${line}`, message })));
  return wrong.length === 0 ? replies : undefined;
}

function textIssue(field: TextIssue["field"], { path, expected, received }: Issue): TextIssue {
  const got = received === undefined ? "" : `, got ${received}`;
  return { field, where: path === "" ? field : path, message: `expected ${expected}${got}` };
}
