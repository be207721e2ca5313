import {
  createManualKillSwitch,
  type ExecuteFn,
  type ExecutionReport,
  type ExecutorResult,
  type PlannedAction,
} from "@eoc/core";
import { createVirtualClock } from "@eoc/testkit";
import { createExecutionHandler, type ExecutionHandlerOptions, type HandlerFault } from "../../src/index.js";
import { happening } from "../support.js";

export const TOKEN = "control-token-0123456789";
export const ORDER = { decision: { action: "ACT", actions: [{ action: "ACT", id: "order-1" }] } };

/** A handler, what it acts on, and short ways to ask it. */
export function openHandler(options: Partial<ExecutionHandlerOptions> = {}) {
  const clock = createVirtualClock({ startMs: 0 });
  const killSwitch = createManualKillSwitch();
  const effects: string[] = [];
  const faults: [fault: HandlerFault, error: unknown][] = [];
  const handler = createExecutionHandler({
    policy: {},
    executor: ({ id }: PlannedAction): ExecutorResult => {
      effects.push(id);
      return { ok: true, value: "s3cr3t" };
    },
    authorize: "none",
    onError: (error, fault) => faults.push([fault, error]),
    ...options,
    ports: { clock, killSwitch, ...options.ports },
  });
  const get = (path: string, headers: Record<string, string> = {}, init: RequestInit = {}) =>
    handler(new Request(`http://service.test${path}`, { headers, ...init }));
  const post = (path: string, body: unknown, headers: Record<string, string> = {}, init: RequestInit = {}) =>
    get(path, { "content-type": "application/json", ...headers }, { method: "POST", body: encoded(body), ...init });
  return { handler, clock, killSwitch, effects, faults, get, post, order: post.bind(undefined, "/execute", ORDER) };
}

function encoded(body: unknown): BodyInit {
  return typeof body === "string" || body instanceof Uint8Array || body instanceof ReadableStream
    ? (body as BodyInit)
    : JSON.stringify(body);
}

/** Status and code of a problem; the code is undefined when it is none. */
export async function problemOf(response: Response): Promise<[status: number, code: unknown]> {
  const isProblem = response.headers.get("content-type") === "application/problem+json";
  const body = (isProblem ? await response.json() : {}) as Record<string, unknown>;
  return [response.status, body["code"]];
}

export async function reportOf(response: Response): Promise<ExecutionReport> {
  return (await response.json()) as ExecutionReport;
}

/** An executor that waits to be told what to answer. */
export function aHeldExecutor() {
  const held = { calls: 0, aborted: false, release: (_result: ExecutorResult) => {} };
  const started = happening();
  const execute: ExecuteFn = (_action, { signal }) =>
    new Promise((resolve) => {
      held.calls++;
      held.release = resolve;
      signal.addEventListener("abort", () => {
        held.aborted = true;
        resolve({ ok: false, code: "aborted", retryable: false });
      });
      started.happened();
    });
  return { held, execute, started: started.once };
}

/** One message of an event stream. */
export interface Message {
  readonly id?: string;
  readonly event?: string;
  readonly data?: unknown;
  readonly comment?: string;
}

/** The messages in the text of an event stream, read as a client would. */
export function messagesOf(text: string): Message[] {
  return text
    .split("\n\n")
    .filter((block) => block !== "")
    .map((block) =>
      Object.fromEntries(
        block.split("\n").map((line) => {
          const [, field = "", value = ""] = /^([a-z]*): (.*)$/.exec(line)!;
          if (field === "") return ["comment", value];
          return [field, field === "data" ? (JSON.parse(value) as unknown) : value];
        }),
      ),
    );
}
