import { definePolicy, type ExecutionPolicy, type ExecutionPolicyInput, isEocError, planExecution } from "@eoc/core";
import {
  type ExecutionContext,
  ExecutionContextSchema,
  type FinalDecision,
  FinalDecisionSchema,
  type Issue,
  toIssues,
} from "@eoc/decision-schema";
import { aBoolean, anInteger, anObject, aText, checkFields, isRecord, MalformedFile } from "./check-fields.js";
import { GOES_WELL, type Reply, type WorldScript } from "./reply.js";

/** What a scenario's file says of how it must end. */
export interface Expectation {
  readonly status: string;
  readonly reason?: string;
  /** Effects in the ledger of the world that EOC acted on, and of the one that naive retry acted on. */
  readonly effects?: number;
  readonly naiveEffects?: number;
}

/** A decision, and the circumstances to execute it in. */
export interface Scenario {
  /** The file's name without folder and `.json`. */
  readonly name: string;
  readonly about?: string;
  readonly decision: FinalDecision;
  readonly context: ExecutionContext;
  readonly policy: ExecutionPolicy;
  /** Whether the executor asks the world what became of a request of unknown outcome. */
  readonly reconcile: boolean;
  /** Throws the kill switch so long after the world got the first request. */
  readonly haltAfterMs?: number;
  /** How long after a crash its process is started again, with the same decision. */
  readonly restartAfterMs: number;
  readonly world: WorldScript;
  readonly expect?: Expectation;
}

/** A scenario's name without the number that orders it. */
export function shortNameOf(name: string): string {
  return name.replace(/^\d+-/, "");
}

const SCENARIO = {
  about: aText,
  decision: anObject,
  context: anObject,
  policy: anObject,
  reconcile: aBoolean,
  halt_after_ms: anInteger(0, 60_000),
  restart_after_ms: anInteger(0, 60_000),
  world: anObject,
  expect: anObject,
};
const WORLD = { honours_idempotency_key: aBoolean, replies: anObject };
const REPLY = {
  applied: aBoolean,
  drop_reply: aBoolean,
  slow_ms: anInteger(0, 60_000),
  hang: aBoolean,
  prepare_ms: anInteger(0, 60_000),
  crash: aBoolean,
  status: anInteger(200, 599),
  retry_after: anInteger(0, 3600),
};
/** Longer than a lease of the bundled scenarios. */
const RESTART_AFTER_MS = 600;
const EXPECT = { status: aText, reason: aText, effects: anInteger(0, 1000), naive_effects: anInteger(0, 1000) };

/**
 * Reads a scenario: `{ decision, … }`, or a bare `FinalDecision` in wire form.
 * @throws MalformedFile
 */
export function parseScenario(name: string, text: string): Scenario {
  const value = parseJson(text);
  if (!isRecord(value) || !Object.hasOwn(value, "decision")) {
    return { name, decision: parseDecision("", value), ...circumstances({}) };
  }
  const fields = checkFields(value, "", SCENARIO);
  const {
    about,
    halt_after_ms: haltAfterMs,
    expect,
  } = fields as { about?: string; halt_after_ms?: number; expect?: unknown };
  return {
    name,
    ...(about === undefined ? undefined : { about }),
    decision: parseDecision("decision", fields["decision"]),
    ...circumstances(fields),
    ...(haltAfterMs === undefined ? undefined : { haltAfterMs }),
    ...(expect === undefined ? undefined : { expect: parseExpectation(expect) }),
  };
}

function circumstances(fields: Record<string, unknown>) {
  return {
    context: parseWith(ExecutionContextSchema, "context", fields["context"] ?? {}),
    policy: parsePolicy(fields["policy"]),
    reconcile: fields["reconcile"] === true,
    restartAfterMs: (fields["restart_after_ms"] as number | undefined) ?? RESTART_AFTER_MS,
    world: parseWorld(fields["world"] ?? {}),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, "")) as unknown;
  } catch (error) {
    if (text.trim() === "") throw new MalformedFile("", "it is empty");
    const [, problem = "", position] = /^(.*?)(?:, .*| at position (\d+).*)?$/s.exec((error as Error).message) ?? [];
    const lines = text.slice(0, Number(position)).split("\n");
    const path = position === undefined ? "" : `line ${lines.length} column ${lines.at(-1)!.length + 1}`;
    throw new MalformedFile(path, `it is not JSON: ${problem.replace(/ in JSON$/, "")}`);
  }
}

interface Schema<T> {
  safeParse(value: unknown): { success: true; data: T } | { success: false; error: Parameters<typeof toIssues>[0] };
}

function parseWith<T>(schema: Schema<T>, root: string, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw malformed(root, toIssues(result.error, value));
}

/** One that the schema takes may still be none that is executed: a key by another name would be no key. */
function parseDecision(root: string, value: unknown): FinalDecision {
  const decision = parseWith(FinalDecisionSchema, root, value);
  try {
    planExecution(decision, {});
    return decision;
  } catch (error) {
    throw malformed(root, isEocError(error) ? (error.issues ?? []) : []);
  }
}

function parsePolicy(value: unknown): ExecutionPolicy {
  try {
    const given = definePolicy(value as ExecutionPolicyInput | undefined);
    // The journal may lie on a busy disk; a file that wants another limit says so.
    const saysSo = isRecord(value) && isRecord(value["timeout"]) && value["timeout"]["portTimeoutMs"] !== undefined;
    return saysSo ? given : definePolicy({ ...given, timeout: { ...given.timeout, portTimeoutMs: 5000 } });
  } catch (error) {
    throw malformed("policy", isEocError(error) ? (error.issues ?? []) : []);
  }
}

function malformed(root: string, [first, ...others]: readonly Issue[]): MalformedFile {
  const { path = "", expected = "something else", received } = first ?? {};
  const at = [root, path].filter((part) => part !== "").join(".");
  const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
  return new MalformedFile(at, `expected ${expected}${received === undefined ? "" : `, received ${received}`}${more}`);
}

function parseWorld(value: unknown): WorldScript {
  const fields = checkFields(value, "world", WORLD);
  const replies = Object.entries((fields["replies"] ?? {}) as Record<string, unknown>).map(([action, list]) => {
    const path = `world.replies.${action}`;
    if (!Array.isArray(list)) throw new MalformedFile(path, "expected a list of replies");
    return [action, list.map((reply, index) => parseReply(reply, `${path}[${index}]`))] as const;
  });
  return { honoursIdempotencyKey: fields["honours_idempotency_key"] === true, replies: new Map(replies) };
}

function parseReply(value: unknown, path: string): Reply {
  const fields = checkFields(value, path, REPLY) as {
    applied?: boolean;
    drop_reply?: boolean;
    slow_ms?: number;
    hang?: boolean;
    prepare_ms?: number;
    crash?: boolean;
    status?: number;
    retry_after?: number;
  };
  const { status = GOES_WELL.status, retry_after: retryAfter } = fields;
  return {
    status,
    applied: fields.applied ?? status < 300,
    dropReply: fields.drop_reply === true,
    slowMs: fields.slow_ms ?? 0,
    hang: fields.hang === true,
    prepareMs: fields.prepare_ms ?? 0,
    crash: fields.crash === true,
    ...(retryAfter === undefined ? undefined : { retryAfter }),
  };
}

function parseExpectation(value: unknown): Expectation {
  const fields = checkFields(value, "expect", EXPECT);
  if (fields["status"] === undefined) throw new MalformedFile("expect.status", "expected a status");
  const { status, reason, effects, naive_effects: naiveEffects } = fields;
  const given = Object.entries({ status, reason, effects, naiveEffects }).filter(([, member]) => member !== undefined);
  return Object.fromEntries(given) as unknown as Expectation;
}
