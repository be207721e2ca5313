import { createServer } from "node:http";
import {
  createManualKillSwitch,
  type ExecuteFn,
  execute,
  type FinalDecisionInput,
  type ManualKillSwitch,
} from "@eoc/core";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  createExecutionHandler,
  createHttpExecutor,
  type ExecutionHandlerOptions,
  type HttpAnswer,
  type HttpOutcome,
  outcomeOfReport,
  toNodeListener,
} from "../src/index.js";
import { anAction, anAttempt, closed, listen, outcomeOf } from "./support.js";

// Real connections, on machines that may be busy.
vi.setConfig({ testTimeout: 30_000 });

const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

const ORDER: FinalDecisionInput = { action: "ACT", actions: [{ action: "ACT", id: "one" }] };

/** What an executor makes of the answer of a handler, over the wire. */
async function asked(
  executor: ExecuteFn,
  options: Partial<ExecutionHandlerOptions> = {},
  { decision = ORDER, headers = {} }: { decision?: unknown; headers?: Record<string, string> } = {},
) {
  const handler = createExecutionHandler({ policy: {}, executor, authorize: "none", ...options });
  const server = createServer(toNodeListener(handler));
  const origin = await listen(server);
  cleanUps.push(() => {
    server.closeAllConnections();
    return closed(server);
  });
  const { execute } = createHttpExecutor({
    request: () => ({ method: "POST", url: `${origin}/execute`, headers, body: { decision } }),
    allowedOrigins: [origin],
    allowPrivateAddresses: true,
    outcome: outcomeOfReport,
  });
  return outcomeOf(execute(anAction(), anAttempt()));
}

const goesWell: ExecuteFn = () => ({ ok: true });
const refuses: ExecuteFn = () => ({ ok: false, code: "no", retryable: false });
const loses: ExecuteFn = () => {
  throw new Error("socket hang up");
};
const final = (code: string) => ({ ok: false, code, retryable: false });

describe("the outcome of an execution that another service was asked for", () => {
  it("S3.1 is what its report says, not that it answered", async () => {
    expect(await asked(goesWell)).toMatchObject({ ok: true, value: { status: "success" } });
    expect(await asked(refuses)).toEqual(final("report_failed"));
    expect(await asked(loses)).toEqual({ ok: "unknown", code: "report_unknown" });
    const killSwitch = createManualKillSwitch();
    killSwitch.halt();
    expect(await asked(goesWell, { ports: { killSwitch } })).toEqual(final("report_denied"));
    expect(await asked(goesWell, {}, { decision: { action: "HOLD" } })).toEqual(final("report_skipped"));
  });

  it("is unknown when only a part was applied, and while it still runs", async () => {
    const decision = {
      action: "ACT",
      actions: [
        { action: "ACT", id: "one" },
        { action: "ACT", id: "two" },
      ],
    };
    const partly: ExecuteFn = (action, attempt) => (action.id === "one" ? goesWell : refuses)(action, attempt);
    expect(await asked(partly, {}, { decision })).toEqual({ ok: "unknown", code: "report_partial" });
    const running = await asked(goesWell, {}, { headers: { prefer: "respond-async" } });
    expect(running).toEqual({ ok: "unknown", code: "report_unreadable" });
  });

  it("is not applied, where the handler refused before it began, also by a 503", async () => {
    const broken = { authorize: () => Promise.reject(new Error("down")) };
    expect(await asked(goesWell, broken)).toEqual({ ok: false, code: "authorization_unavailable", retryable: true });
    const killSwitch: Partial<ManualKillSwitch> = createManualKillSwitch();
    const breaking = { ports: { killSwitch: killSwitch as ManualKillSwitch }, authorize: () => delete killSwitch.read };
    expect(await asked(goesWell, breaking)).toEqual(final("misconfigured"));
    expect(await asked(goesWell, {}, { decision: 7 })).toEqual(final("http_422"));
  });

  it("waits as long as a full handler asks for", async () => {
    const full = { remember: { maxExecutions: 1 } };
    let answer = () => {};
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const handler = createExecutionHandler({
      policy: {},
      executor: () => held.then(() => ({ ok: true })),
      authorize: "none",
      ...full,
    });
    const { execute: dispatch } = createHttpExecutor({
      request: () => ({ method: "POST", url: "https://eoc.example.com/execute", body: { decision: ORDER } }),
      allowedOrigins: ["https://eoc.example.com"],
      outcome: outcomeOfReport,
      fetch: (url, init) => handler(new Request(url, init)),
    });
    const first = dispatch(anAction(), anAttempt());
    await new Promise((resolve) => setImmediate(resolve));
    expect(await dispatch(anAction(), anAttempt())).toEqual({
      ok: false,
      code: "too_many_executions",
      retryable: true,
      retryAfterMs: 1000,
    });
    answer();
    expect(await first).toMatchObject({ ok: true });
  });

  it("is unknown of anything that is no report, and of any other answer what it usually is", () => {
    const usual: HttpOutcome = { ok: true };
    const answer = (status: number, value: unknown, type?: string): HttpAnswer => ({
      status,
      headers: new Headers(),
      method: "POST",
      keyed: false,
      body: value === undefined ? "unreadable" : "parsed",
      value,
      ...(type === undefined ? {} : { problem: { type } }),
    });
    const values = [undefined, null, "done", 7, [], {}, { status: "success" }, { status: "fine", actions: [] }];
    expect(values.map((value) => outcomeOfReport(answer(200, value), usual))).toEqual(
      values.map(() => ({ ok: "unknown", code: "report_unreadable" })),
    );
    const unknown: HttpOutcome = { ok: "unknown", code: "http_503" };
    for (const type of [undefined, "about:blank", "https://evil.test/#too_many_executions", "#constructor"]) {
      expect(outcomeOfReport(answer(503, {}, type), unknown)).toBe(unknown);
    }
  });

  it("S3.2 keeps core from reporting a success that was none", async () => {
    const handler = createExecutionHandler({ policy: {}, executor: loses, authorize: "none" });
    const executor = createHttpExecutor({
      request: () => ({ method: "POST", url: "https://eoc.example.com/execute", body: { decision: ORDER } }),
      allowedOrigins: ["https://eoc.example.com"],
      outcome: outcomeOfReport,
      fetch: (url, init) => handler(new Request(url, init)),
    });
    const report = await execute({ action: "ACT" }, {}, { retry: { maxRetries: 3 } }, executor);
    expect(report).toMatchObject({ status: "unknown", attemptCount: 1 });
    expect(report.actions[0]?.errorCode).toBe("report_unknown");
  });
});
