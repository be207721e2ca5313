import { createVirtualClock } from "@eoc/testkit";
import type { ProblemCode } from "../../src/handler/problem.js";
import type { ExecutionHandlerOptions } from "../../src/index.js";
import { aHeldExecutor, ORDER, type openHandler, TOKEN } from "./support.js";

type Handler = ReturnType<typeof openHandler>;

/** One way to be refused: the third table of the README and the tests of every problem. */
export interface ProblemCase {
  readonly code: ProblemCode;
  readonly what: string;
  readonly options?: () => Partial<ExecutionHandlerOptions>;
  readonly ask: (handler: Handler) => Promise<Response>;
  /** Headers that the answer has. */
  readonly headers?: Readonly<Record<string, string>>;
}

const hangs = () => new Promise<never>(() => {});
const throws = () => {
  throw new Error("s3cr3t");
};

/** A body that never ends. */
const endless = () =>
  new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(new Uint8Array([123])) });
const streamed = { duplex: "half" } as RequestInit;

const control = { control: { token: TOKEN } };
const bearer = { authorization: `Bearer ${TOKEN}` };

export const PROBLEM_CASES: readonly ProblemCase[] = [
  { code: "invalid_json", what: "a body that is not JSON", ask: ({ post }) => post("/execute", '{"decision":') },
  {
    code: "invalid_json",
    what: "a body that is not UTF-8",
    ask: ({ post }) => post("/execute", new Uint8Array([0x22, 0xff, 0x22])),
  },
  { code: "invalid_request", what: "no `decision` in it", ask: ({ post }) => post("/execute", {}) },
  {
    code: "invalid_request",
    what: "a member that there is not, such as a policy",
    ask: ({ post }) => post("/execute", { ...ORDER, policy: {} }),
  },
  {
    code: "invalid_request",
    what: "an approval that is none",
    ask: ({ post }) => post("/execute", { ...ORDER, approval: { digest: 7 } }),
  },
  {
    code: "invalid_request",
    what: "an approval in the request, where `approval` looks them up",
    options: () => ({ approval: () => ({ digest: "d" }) }),
    ask: ({ post }) => post("/execute", { ...ORDER, approval: { digest: "d" } }),
  },
  {
    code: "invalid_control",
    what: "`halted` that is not true or false",
    options: () => control,
    ask: ({ post }) => post("/control", { halted: "false" }, bearer),
  },
  {
    code: "invalid_idempotency_key",
    what: "a malformed `Idempotency-Key`",
    ask: ({ order }) => order({ "idempotency-key": '"open' }),
  },
  {
    code: "not_authenticated",
    what: "`/control` without the token",
    options: () => control,
    ask: ({ get }) => get("/control"),
    headers: { "www-authenticate": "Bearer" },
  },
  {
    code: "not_authorized",
    what: "`authorize` said anything but `true`",
    options: () => ({ authorize: () => "yes" as unknown as boolean }),
    ask: ({ order }) => order(),
  },
  {
    code: "not_approved",
    what: "`approval` found none",
    options: () => ({ approval: () => undefined }),
    ask: ({ order }) => order(),
  },
  { code: "not_found", what: "another path", ask: ({ get }) => get("/") },
  { code: "not_found", what: "`/control`, when it is off", ask: ({ get }) => get("/control", bearer) },
  {
    code: "not_found",
    what: "an execution that is not known, or no longer",
    ask: ({ get }) => get(`/executions/${"0".repeat(32)}`),
  },
  {
    code: "method_not_allowed",
    what: "another method",
    ask: ({ get }) => get("/execute"),
    headers: { allow: "POST" },
  },
  {
    code: "body_too_slow",
    what: "a body that is not there within `requestTimeoutMs`",
    ask: ({ post, clock }) => clock.run(() => post("/execute", endless(), {}, streamed)),
  },
  {
    code: "execution_running",
    what: "a repeated key whose execution still runs",
    options: () => ({ executor: aHeldExecutor().execute }),
    async ask({ order }) {
      await order({ "idempotency-key": "k", prefer: "respond-async" });
      return order({ "idempotency-key": "k" });
    },
    headers: { "retry-after": "1" },
  },
  {
    code: "body_too_large",
    what: "a body longer than `maxRequestBytes`",
    options: () => ({ maxRequestBytes: 10 }),
    ask: ({ post }) => post("/execute", "x".repeat(11)),
  },
  {
    code: "unsupported_media_type",
    what: "a body that is not `application/json`",
    ask: ({ order }) => order({ "content-type": "text/plain" }),
    headers: { accept: "application/json" },
  },
  {
    code: "unsupported_media_type",
    what: "a compressed body",
    ask: ({ order }) => order({ "content-encoding": "gzip" }),
    headers: { "accept-encoding": "identity" },
  },
  {
    code: "invalid_decision",
    what: "a decision that is none; `issues` say why",
    ask: ({ post }) => post("/execute", { decision: { action: "RUN" } }),
  },
  {
    code: "invalid_context",
    what: "a context that is none; `issues` say why",
    ask: ({ post }) => post("/execute", { ...ORDER, context: [] }),
  },
  {
    code: "idempotency_key_reused",
    what: "a repeated key with another body",
    async ask({ post, order }) {
      await order({ "idempotency-key": "k" });
      return post("/execute", { ...ORDER, context: { now_ms: 1 } }, { "idempotency-key": "k" });
    },
  },
  {
    code: "rate_limited",
    what: "more than `rateLimit` allows",
    options: () => ({ rateLimit: { limit: 1, windowMs: 60_000 } }),
    async ask({ order }) {
      await order();
      return order();
    },
    headers: { "retry-after": "60", ratelimit: '"execute";r=0;t=60', "ratelimit-policy": '"execute";q=1;w=60' },
  },
  {
    code: "misconfigured",
    what: "a port that has lost a method since the handler was made",
    ask({ order, killSwitch }) {
      delete (killSwitch as Partial<typeof killSwitch>).read;
      return order();
    },
  },
  {
    code: "internal_error",
    what: "anything else that went wrong",
    options: () => ({
      rateLimit: { limit: 1, windowMs: 1000 },
      ports: { clock: { ...createVirtualClock(), monotonic: throws } },
    }),
    ask: ({ order }) => order(),
  },
  {
    code: "approval_unavailable",
    what: "`approval` threw",
    options: () => ({ approval: throws }),
    ask: ({ order }) => order(),
  },
  {
    code: "approval_unavailable",
    what: "`approval` did not answer",
    options: () => ({ approval: hangs }),
    ask: ({ order, clock }) => clock.run(() => order()),
  },
  {
    code: "authorization_unavailable",
    what: "`authorize` threw",
    options: () => ({ authorize: throws }),
    ask: ({ order }) => order(),
  },
  {
    code: "authorization_unavailable",
    what: "`authorize` did not answer",
    options: () => ({ authorize: hangs }),
    ask: ({ order, clock }) => clock.run(() => order()),
  },
  {
    code: "kill_switch_unavailable",
    what: "`/health` or `/control`, when the switch threw",
    options: () => ({ ports: { killSwitch: { read: throws } } }),
    ask: ({ get }) => get("/health"),
  },
  {
    code: "kill_switch_unavailable",
    what: "the same, when it did not answer",
    options: () => ({ ...control, ports: { killSwitch: { read: hangs, halt: hangs, clear: hangs } as never } }),
    ask: ({ get, clock }) => clock.run(() => get("/control", bearer)),
  },
  {
    code: "kill_switch_unavailable",
    what: "the same, when it answered with something else",
    options: () => ({ ports: { killSwitch: { read: () => ({ halted: 0 }) as never } } }),
    ask: ({ get }) => get("/health"),
  },
  {
    code: "kill_switch_unavailable",
    what: "it could not be thrown",
    options: () => ({
      ...control,
      ports: { killSwitch: { read: () => ({ halted: false }), halt: throws, clear: throws } as never },
    }),
    ask: ({ post }) => post("/control", { halted: true }, bearer),
  },
  {
    code: "kill_switch_unavailable",
    what: "or not within `portTimeoutMs`",
    options: () => ({
      ...control,
      ports: { killSwitch: { read: () => ({ halted: false }), halt: hangs, clear: hangs } as never },
    }),
    ask: ({ post, clock }) => clock.run(() => post("/control", { halted: true }, bearer)),
  },
  {
    code: "rate_limiter_unavailable",
    what: "the rate limiter threw",
    options: () => ({ rateLimit: { limit: 1, windowMs: 1000, limiter: { acquire: throws } } }),
    ask: ({ order }) => order(),
  },
  {
    code: "rate_limiter_unavailable",
    what: "it did not answer",
    options: () => ({ rateLimit: { limit: 1, windowMs: 1000, limiter: { acquire: hangs } } }),
    ask: ({ order, clock }) => clock.run(() => order()),
  },
  {
    code: "rate_limiter_unavailable",
    what: "it answered with something else",
    options: () => ({ rateLimit: { limit: 1, windowMs: 1000, limiter: { acquire: () => ({ granted: 1 }) as never } } }),
    ask: ({ order }) => order(),
  },
  {
    code: "too_many_executions",
    what: "as many are running as can be remembered",
    options: () => ({ executor: aHeldExecutor().execute, remember: { maxExecutions: 1 } }),
    async ask({ order }) {
      await order({ prefer: "respond-async" });
      return order();
    },
    headers: { "retry-after": "1" },
  },
  {
    code: "too_many_streams",
    what: "`maxStreams` of events are open",
    options: () => ({ executor: aHeldExecutor().execute, maxStreams: 1 }),
    async ask({ order, get }) {
      const accepted = await order({ prefer: "respond-async" });
      const events = `/${accepted.headers.get("location")}/events`;
      await (await get(events)).body!.getReader().read();
      return get(events);
    },
    headers: { "retry-after": "1" },
  },
];
