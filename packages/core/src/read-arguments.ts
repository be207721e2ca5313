import { type ExecutionContext, type Issue, type ReadResult, readContext } from "@eoc/decision-schema/read";
import { checkInherited, checkOptions } from "./check-options.js";
import { isEocError } from "./errors.js";
import type { ExecuteOptions } from "./options.js";
import { isPlainObject, kindOf } from "./plain-object.js";
import { readToPlan } from "./plan.js";
import { contextDenies } from "./policy/context-denies.js";
import { definePolicy, type ExecutionPolicy, type ExecutionPolicyInput } from "./policy/execution-policy.js";
import type { Clock } from "./ports/clock.js";
import type { ExecuteFn } from "./ports/executor.js";
import type { TerminalReason } from "./report/terminal-reason.js";
import { Request } from "./request.js";

/** Why an argument was refused. */
export class Refusal {
  readonly reason: TerminalReason;
  readonly issues: readonly Issue[];

  constructor(reason: TerminalReason, issues: readonly Issue[]) {
    this.reason = reason;
    this.issues = issues;
  }
}

export const NO_OPTIONS: ExecuteOptions = Object.freeze({});

/** The options, as an object of our own. Never throws. */
export function readOptions(options: unknown): ExecuteOptions | Refusal {
  if (options === undefined || options === null) return NO_OPTIONS;
  try {
    if (typeof options !== "object" || !isRecord(options)) {
      return new Refusal("invalid_options", [{ path: "options", expected: "an object", received: kindOf(options) }]);
    }
    const own = { ...(options as Record<string, unknown>) };
    // Read once, like all else (S1.3); a hole becomes what it is, no gate.
    if (Array.isArray(own["gates"])) own["gates"] = Array.from(own["gates"]);
    let issues = checkOptions(own);
    if (!isPlainObject(options)) issues = [...issues, ...checkInherited(options, own)];
    return issues.length > 0 ? new Refusal("invalid_options", issues) : (own as ExecuteOptions);
  } catch {
    return unreadable("invalid_options", "options");
  }
}

/** The four arguments, each read once. The clock may throw. */
export function readArguments(
  givenDecision: unknown,
  givenContext: unknown,
  givenPolicy: unknown,
  executor: unknown,
  clock: Clock,
  options: ExecuteOptions,
): Request | Refusal {
  const decision = dataOf(readToPlan(givenDecision), "invalid_decision", "decision");
  if (decision instanceof Refusal) return decision;
  const context = contextOf(givenContext);
  if (context instanceof Refusal) return context;
  if (contextDenies(context, clock)) {
    // A halted system is halted whatever else is wrong (S2.1); nothing else is needed to say so.
    return new Request(decision, context, true, policyOrDefault(givenPolicy), NOBODY, clock, options);
  }
  const policy = policyOf(givenPolicy);
  if (policy instanceof Refusal) return policy;
  const functions = executorOf(executor);
  if (functions instanceof Refusal) return functions;
  return new Request(decision, context, false, policy, functions, clock, options);
}

/** Stands for an executor that is never called. */
export const NOBODY: Pick<Request, "execute" | "reconcile"> = {
  execute: () => ({ ok: false, code: "never_called" }),
  reconcile: undefined,
};

/** What was read of an argument, frozen: the caller's object is not read again (S1.3). */
function dataOf<T>(read: ReadResult<T>, reason: TerminalReason, path: string): T | Refusal {
  return read.success ? read.data : new Refusal(reason, within(path, read.issues));
}

/** A promise, a map or a list has no members that would say anything: what it holds would be dropped without a word. */
function isRecord(value: object): boolean {
  return typeof (value as { then?: unknown }).then !== "function" && !(Symbol.iterator in value);
}

/** What an instance's class says of it, such as that everything is denied, is no member of it and would be dropped. */
function contextOf(value: unknown): Readonly<ExecutionContext> | Refusal {
  try {
    if (typeof value === "object" && value !== null && !isPlainObject(value)) {
      return new Refusal("invalid_context", [{ path: "context", expected: "a plain object", received: kindOf(value) }]);
    }
  } catch {
    return unreadable("invalid_context", "context");
  }
  return dataOf(readContext(value), "invalid_context", "context");
}

/** Issues of an argument, with their paths from the call. */
function within(argument: string, issues: readonly Issue[]): Issue[] {
  return issues.map((issue) => ({ ...issue, path: issue.path === "" ? argument : `${argument}.${issue.path}` }));
}

/** Of an execution that dispatches nothing: what it may take to put that on record. Never throws. */
export function policyOrDefault(given: unknown): ExecutionPolicy {
  const policy = policyOf(given);
  return policy instanceof Refusal ? definePolicy() : policy;
}

function policyOf(policy: unknown): ExecutionPolicy | Refusal {
  // A policy that could not be found is not the default one.
  if (policy === undefined) {
    return new Refusal("invalid_policy", [{ path: "policy", expected: "a plain object", received: "undefined" }]);
  }
  try {
    return definePolicy(policy as ExecutionPolicyInput);
  } catch (error) {
    if (!isEocError(error)) return unreadable("invalid_policy", "policy");
    return new Refusal("invalid_policy", within("policy", error.issues ?? []));
  }
}

function executorOf(executor: unknown): Pick<Request, "execute" | "reconcile"> | Refusal {
  try {
    if (typeof executor === "function") return { execute: executor as ExecuteFn, reconcile: undefined };
    const { execute, reconcile } = (executor ?? {}) as { execute?: unknown; reconcile?: unknown };
    if (typeof execute === "function" && (reconcile === undefined || typeof reconcile === "function")) {
      return {
        execute: (action, attempt) => execute.call(executor, action, attempt),
        reconcile: reconcile && ((action, attempt) => reconcile.call(executor, action, attempt)),
      };
    }
    const expected = "a function, or { execute: function; reconcile?: function }";
    return new Refusal("invalid_executor", [{ path: "executor", expected, received: kindOf(executor) }]);
  } catch {
    return unreadable("invalid_executor", "executor");
  }
}

function unreadable(reason: TerminalReason, path: string): Refusal {
  return new Refusal(reason, [{ path, expected: "a value that can be read", received: "one that throws" }]);
}
