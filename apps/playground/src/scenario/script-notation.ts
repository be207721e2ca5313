import { GOES_WELL, type Reply } from "./reply.js";

/** A line of a script that cannot be read: which, from 1, and why. */
export interface ScriptIssue {
  readonly line: number;
  readonly message: string;
}

export type Replies = ReadonlyMap<string, readonly Reply[]>;

const MAX_STEPS = 100;
const MAX_MS = 60_000;
const WORDS =
  "ok, drop, lost, slow 600ms, hang, prepare 200ms, crash, or a status such as 429 retry 1s, 422, 503, 500 applied";

/** Raised by a step that is none; its message says why. */
class BadStep extends Error {}

/**
 * Reads a script of the world: a line for each action, `id: step, step`, with what its requests meet in turn; `*` is any other action.
 * Nothing in it is run.
 */
export function parseScript(text: string): { replies: Replies; issues: ScriptIssue[] } {
  const replies = new Map<string, readonly Reply[]>();
  const issues: ScriptIssue[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.replace(/#.*$/, "").trim();
    if (line === "") continue;
    try {
      const [, id = "", steps = ""] = /^(\S+?)\s*:(.*)$/.exec(line) ?? [];
      if (id === "") throw new BadStep("expected `action-id: step, step`");
      if (replies.has(id)) throw new BadStep(`${id} has a line already`);
      replies.set(id, readSteps(steps));
    } catch (error) {
      if (!(error instanceof BadStep)) throw error;
      issues.push({ line: index + 1, message: error.message });
    }
  }
  return { replies, issues };
}

/** The script of such replies: reading it gives them back. */
export function printScript(replies: Replies): string {
  return [...replies].map(([id, list]) => `${id}: ${list.map(printReply).join(", ")}`).join("\n");
}

function readSteps(text: string): Reply[] {
  const steps = text.split(",").map((step) => step.trim());
  if (steps.length > MAX_STEPS) throw new BadStep(`more than ${MAX_STEPS} steps`);
  return steps.map(readStep);
}

function readStep(step: string): Reply {
  const [word = "", ...rest] = step.toLowerCase().split(/\s+/);
  const nothingMore = (reply: Partial<Reply>): Reply => {
    if (rest.length > 0) throw new BadStep(`\`${word}\` takes nothing after it`);
    return { ...GOES_WELL, ...reply };
  };
  const duration = (): number => {
    if (rest.length !== 1) throw new BadStep(`\`${word}\` takes a time, such as \`${word} 600ms\``);
    return readMs(rest[0]!);
  };
  switch (word) {
    case "ok":
      return nothingMore({});
    case "drop":
      return nothingMore({ dropReply: true });
    case "lost":
      return nothingMore({ dropReply: true, applied: false });
    case "hang":
      return nothingMore({ hang: true });
    case "crash":
      return nothingMore({ crash: true });
    case "slow":
      return { ...GOES_WELL, slowMs: duration() };
    case "prepare":
      return { ...GOES_WELL, prepareMs: duration() };
    default:
      return readStatus(word, rest);
  }
}

function readStatus(word: string, rest: readonly string[]): Reply {
  const status = Number(word);
  if (!/^[2-5]\d\d$/.test(word)) throw new BadStep(`\`${word}\` is no step; expected ${WORDS}`);
  let reply: Reply = { ...GOES_WELL, status, applied: status < 300 };
  const left = [...rest];
  while (left.length > 0) {
    const next = left.shift()!;
    if (next === "applied") reply = { ...reply, applied: true };
    else if (next === "retry" && left.length > 0) reply = { ...reply, retryAfter: readMs(left.shift()!) / 1000 };
    else throw new BadStep(`\`${next}\` after ${status}: expected \`retry 1s\` or \`applied\``);
  }
  return reply;
}

function readMs(text: string): number {
  const [, number, unit = "ms"] = /^(\d+(?:\.\d+)?)(ms|s)?$/.exec(text) ?? [];
  const ms = Math.round(Number(number) * (unit === "s" ? 1000 : 1));
  if (number === undefined || ms > MAX_MS) throw new BadStep(`\`${text}\` is no time from 0 to 60s`);
  return ms;
}

function printReply(reply: Reply): string {
  const { status, applied, dropReply, slowMs, hang, prepareMs, crash, retryAfter } = reply;
  if (crash) return "crash";
  if (hang) return "hang";
  if (dropReply) return applied ? "drop" : "lost";
  if (prepareMs > 0) return `prepare ${printMs(prepareMs)}`;
  if (slowMs > 0) return `slow ${printMs(slowMs)}`;
  if (status === 200 && retryAfter === undefined) return "ok";
  const parts = [String(status)];
  if (retryAfter !== undefined) parts.push(`retry ${printMs(retryAfter * 1000)}`);
  if (applied && status >= 300) parts.push("applied");
  return parts.join(" ");
}

function printMs(ms: number): string {
  return ms >= 1000 && ms % 100 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}
