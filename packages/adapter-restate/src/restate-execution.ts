import {
  definePolicy,
  EocError,
  type ExecutionPolicy,
  type ExecutionPolicyInput,
  type ExecutionReport,
} from "@eoc/core";
import { canonicalJson, sha256Hex } from "@eoc/decision-schema/read";
import { type Context, handlers, type ServiceOptions, service, TerminalError } from "@restatedev/restate-sdk";
import { type DurableRequest, type DurableSetup, runOn } from "./execute-durably.js";
import { checkHeeded, type DurableExecuteOptions } from "./options.js";
import { jsonSerde, restateEngine } from "./restate-engine.js";

/** What the service is asked to do: the body of `POST /<name>/execute` at the engine's ingress. */
export interface RestateExecutionRequest extends DurableRequest, DurableExecuteOptions {
  /**
   * Executed once for each key within the engine's retention: whoever comes with the same key gets the same report; with
   * the same key and another payload he is denied, `idempotency_conflict`.
   */
  readonly key?: string;
}

/** What a Restate service needs to run executions. */
export interface RestateExecutionOptions extends DurableSetup {
  /** The service's name on the engine. @defaultValue "EocExecution" */
  readonly name?: string;
  /**
   * The engine's options of the service: retention, retries, privacy … Its time limits are set so that no attempt
   * reaches them, unless given here.
   */
  readonly service?: ServiceOptions;
}

/** What a keyed execution gives: the report, and what it is the report of. */
interface KeyedReport {
  readonly fingerprint: string;
  readonly report: ExecutionReport;
}

/**
 * A Restate service with a handler `execute` that takes a decision and its context and returns the report.
 * @throws EocError `invalid_policy`, `invalid_option` for a `bulkhead` or `signal` among the ports
 */
export function createRestateExecution(options: RestateExecutionOptions) {
  const { name = "EocExecution", service: given } = options;
  const issues = checkHeeded(options.ports, {});
  if (issues.length > 0)
    throw new EocError("invalid_option", "an execution on the engine has no such port", { issues });
  const setup: DurableSetup = { ...options, policy: definePolicy(options.policy as ExecutionPolicyInput) };

  const execute = async (ctx: Context, request: RestateExecutionRequest): Promise<ExecutionReport> => {
    const { key, decision, context, ...how } = (request ?? {}) as RestateExecutionRequest;
    const what = { decision, context };
    if (key === undefined) return runOn(restateEngine(ctx), what, setup, settingsOf(how));
    if (typeof key !== "string" || key === "") {
      const issues = [{ path: "key", expected: "a non-empty string", received: typeof key }];
      return runOn(restateEngine(ctx), what, setup, settingsOf(how), {
        status: "denied",
        reason: "invalid_options",
        issues,
      });
    }
    const fingerprint = fingerprintOf(request);
    const { key: _, ...payload } = request;
    const keyed = await ctx.genericCall<unknown, KeyedReport>({
      service: name,
      method: "executeKeyed",
      parameter: payload,
      idempotencyKey: key,
      inputSerde: jsonSerde(),
      outputSerde: jsonSerde(),
    });
    if (keyed.fingerprint === fingerprint) return keyed.report;
    return runOn(restateEngine(ctx), what, setup, settingsOf(how), {
      status: "denied",
      reason: "idempotency_conflict",
    });
  };

  const executeKeyed = async (ctx: Context, request: Omit<RestateExecutionRequest, "key">): Promise<KeyedReport> => {
    const { decision, context, ...how } = request;
    const report = await runOn(restateEngine(ctx), { decision, context }, setup, settingsOf(how));
    return { fingerprint: fingerprintOf(request), report };
  };

  return service({
    name,
    description: "Executes the actions of an approved decision (EOC).",
    // The second is for the first alone: what it gives is no report.
    handlers: { execute, executeKeyed: handlers.handler({ ingressPrivate: true }, executeKeyed) },
    options: { ...engineLimits(setup.policy as ExecutionPolicy), ...given },
  });
}

/** Only what is known: the rest of the request is not ours. */
function settingsOf({ executionId, seed, approval }: DurableExecuteOptions): DurableExecuteOptions {
  return {
    ...(executionId == null ? undefined : { executionId }),
    ...(seed == null ? undefined : { seed }),
    ...(approval == null ? undefined : { approval }),
  };
}

/** Digest of everything that is asked for but the key: the same key with another digest is a conflict (S7.2). */
function fingerprintOf({ decision, context, executionId, seed, approval }: RestateExecutionRequest): string {
  try {
    return sha256Hex(canonicalJson({ decision, context, executionId, seed, approval }));
  } catch {
    throw new TerminalError("the request is not JSON", { errorCode: 400 });
  }
}

/**
 * An attempt ends by its own limit, never by the engine's: the engine asks a silent handler to rest after the first and
 * cuts it off after the second.
 */
function engineLimits({ timeout }: ExecutionPolicy): ServiceOptions {
  const longest = Math.min(timeout.attemptTimeoutMs, timeout.maxTotalTimeMs) + timeout.abortGraceMs;
  const inactivityTimeout = Math.max(60_000, longest + 4 * timeout.portTimeoutMs);
  return { inactivityTimeout, abortTimeout: Math.max(600_000, 2 * inactivityTimeout) };
}
