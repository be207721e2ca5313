import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type ActionReport, execute } from "@eoc/core";
import { Agent } from "undici";
import { describe, expect, it, vi } from "vitest";
import { createHttpExecutor } from "../src/index.js";
import { createHandClock } from "./hand-clock.js";
import { closed, listen } from "./support.js";

// Real connections, on machines that may be busy.
vi.setConfig({ testTimeout: 600_000 });

/** `EOC_DEEP=1`, or `scripts/seeded-faults.ts`, plays all of them. */
const REQUESTS = process.env["EOC_DEEP"] === undefined ? 2000 : 20_000;
const SEED = Number(process.env["EOC_SEED"] ?? 20_261_106);
const WORKERS = 8;
const ATTEMPT_MS = 5000;

/** What the wire shows, and whether the effect may have happened when it does: drawn apart from each other. */
interface Fault {
  readonly applies: readonly boolean[];
  readonly play: (response: ServerResponse, hang: () => void) => void;
}

const EITHER = [false, true];
const status =
  (code: number, headers: Record<string, string> = {}, body = "") =>
  (response: ServerResponse) => {
    response.writeHead(code, headers).end(body);
  };
const raw = (text: string) => (response: ServerResponse) => {
  response.socket!.end(text);
};

const FAULTS: Readonly<Record<string, Fault>> = {
  "answers 200": { applies: [true], play: status(200, {}, "done") },
  "answers 204": { applies: [true], play: status(204) },
  "answers 200, then breaks off": {
    applies: [true],
    play: (response) => {
      response.writeHead(200, { "Content-Length": 9 }).write("half", () => response.destroy());
    },
  },
  "closes the connection": { applies: EITHER, play: (response) => response.destroy() },
  "resets the connection": { applies: EITHER, play: (response) => response.socket!.resetAndDestroy() },
  "breaks off within the head": { applies: EITHER, play: raw("HTTP/1.1 200 OK\r\nContent-Le") },
  "answers with something else": { applies: EITHER, play: raw("220 smtp.example.com ESMTP\r\n") },
  "never answers": { applies: EITHER, play: (_response, hang) => hang() },
  "answers 500": { applies: EITHER, play: status(500, {}, "oops") },
  "answers 502": { applies: EITHER, play: status(502) },
  "answers 503": { applies: EITHER, play: status(503) },
  "answers 504": { applies: EITHER, play: status(504) },
  "redirects with 302": { applies: EITHER, play: status(302, { Location: "/elsewhere" }) },
  "redirects with 307": { applies: EITHER, play: status(307, { Location: "/elsewhere" }) },
  "answers 404": { applies: [false], play: status(404, {}, "no such thing") },
  "answers 408": { applies: EITHER, play: status(408) },
  "answers 425": { applies: [false], play: status(425) },
  "answers 429": { applies: [false], play: status(429) },
  "answers 429 with Retry-After": { applies: [false], play: status(429, { "Retry-After": "7" }) },
  "answers 503 with Retry-After": { applies: EITHER, play: status(503, { "Retry-After": "7" }) },
};
const FAULT_NAMES = Object.keys(FAULTS);

/** Three numbers in [0, 1) that depend on the text and the seed only, whatever order things happen in. */
function draw(text: string): [number, number, number] {
  let state = SEED;
  for (const character of text) {
    state = Math.imul(state ^ character.codePointAt(0)!, 0xcc9e2d51);
    state = (state << 13) | (state >>> 19);
  }
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return [next(), next(), next()];
}

const pick = <T>(from: readonly T[], number: number): T => from[Math.floor(number * from.length)]!;

/** A service with seeded faults. It applies a request once per idempotency key, where it comes with one. */
function createService() {
  const ledger = new Map<string, number>();
  const faults = new Map<string, string[]>();
  const hanging = new Map<string, () => void>();
  const service = { requests: 0, ledger, faults, hanging };
  const serve = (request: IncomingMessage, response: ServerResponse) => {
    service.requests++;
    const id = request.url!.slice(1);
    const met = faults.get(id) ?? [];
    faults.set(id, met);
    const [which, applied] = draw(`${id}/${met.length}`);
    const name = pick(FAULT_NAMES, which);
    met.push(name);
    const { applies, play } = FAULTS[name]!;
    const repeated = request.headers["idempotency-key"] !== undefined && ledger.has(id);
    if (request.method === "POST" && pick(applies, applied) && !repeated) ledger.set(id, (ledger.get(id) ?? 0) + 1);
    play(response, () => hanging.get(id)?.());
  };
  const server = createServer((request, response) => {
    request.resume().on("end", () => serve(request, response));
  });
  // No connection is closed but by a fault.
  server.keepAliveTimeout = 0;
  return { server, service };
}

interface Seen {
  readonly row: ActionReport;
  readonly effects: number;
  /** What the wire showed last. */
  readonly fault: string;
}

async function play(): Promise<{ requests: number; seen: Record<"once" | "idempotent" | "none", Seen[]> }> {
  const { server, service } = createService();
  const origin = await listen(server);
  const dispatcher = new Agent();
  const executor = createHttpExecutor({
    request: ({ id, effect }) =>
      effect === "none"
        ? { method: "GET", url: `${origin}/${id}` }
        : { method: "POST", url: `${origin}/${id}`, body: "order" },
    allowedOrigins: [origin],
    allowPrivateAddresses: true,
    dispatcher,
  });
  const seen = { once: [] as Seen[], idempotent: [] as Seen[], none: [] as Seen[] };
  let index = 0;
  const work = async () => {
    while (service.requests < REQUESTS) {
      const id = `order-${index++}`;
      const effect = pick(["once", "once", "once", "idempotent", "none"] as const, draw(id)[2]);
      const clock = createHandClock();
      service.hanging.set(id, () => clock.advance(ATTEMPT_MS));
      const key = effect === "idempotent" ? { idempotency_key: id } : {};
      const actions = [{ action: "ACT" as const, id, effect, ...key }];
      const policy = {
        retry: { maxRetries: 1, initialBackoffMs: 10 },
        timeout: { attemptTimeoutMs: ATTEMPT_MS, maxTotalTimeMs: 1_000_000 },
      };
      const report = await execute({ action: "ACT", actions }, {}, policy, executor, {
        clock,
        onEvent(event) {
          if (event.type !== "wait.started" || event.untilMs === undefined) return;
          const wait = event.untilMs - clock.now();
          queueMicrotask(() => clock.advance(wait));
        },
      });
      service.hanging.delete(id);
      const faults = service.faults.get(id)!;
      expect([clock.pending, faults.length]).toEqual([0, report.attemptCount]);
      seen[effect].push({ row: report.actions[0]!, effects: service.ledger.get(id) ?? 0, fault: faults.at(-1)! });
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  await dispatcher.close();
  await closed(server);
  return { requests: service.requests, seen };
}

/** The ledgers that were seen, by what was said of them. */
function ledgersBy(seen: readonly Seen[], say: (seen: Seen) => string): Record<string, number[]> {
  const sets: Record<string, Set<number>> = {};
  for (const each of seen) {
    sets[say(each)] ??= new Set();
    sets[say(each)]!.add(each.effects);
  }
  return Object.fromEntries(Object.entries(sets).map(([name, set]) => [name, [...set].sort()]));
}

const byStatus = (seen: readonly Seen[]) => ledgersBy(seen, ({ row }) => row.status);

describe(`${REQUESTS} requests to a server with seeded faults`, () => {
  const played = play();

  it("are as many as this says, and leave no connection open", async () => {
    expect((await played).requests).toBeGreaterThanOrEqual(REQUESTS);
  });

  it("S3.1 apply a once action at most once: always when it is a success, never when it failed", async () => {
    const { seen } = await played;
    expect(byStatus(seen.once)).toEqual({ success: [1], failed: [0], unknown: [0, 1] });
  });

  it("S3.1 leave a once action unknown exactly where what the wire showed goes with either ledger", async () => {
    const { seen } = await played;
    const unknown = seen.once.filter(({ row }) => row.status === "unknown");
    const settled = seen.once.filter(({ row }) => row.status !== "unknown");
    const either = FAULT_NAMES.filter((name) => FAULTS[name]!.applies.length === 2);
    expect(ledgersBy(unknown, ({ fault }) => fault)).toEqual(Object.fromEntries(either.map((name) => [name, [0, 1]])));
    const one = FAULT_NAMES.filter((name) => !either.includes(name));
    expect(ledgersBy(settled, ({ fault }) => fault)).toEqual(
      Object.fromEntries(one.map((name) => [name, [Number(FAULTS[name]!.applies[0])]])),
    );
  });

  it("S3.1 dispatch a once action no more after an attempt that may have been applied", async () => {
    const { seen } = await played;
    expect(seen.once.filter(({ row }) => row.status === "unknown" && row.attemptCount > 1).length).toBeGreaterThan(0);
    // Had any been dispatched again, another fault would be its last for some, and its ledger 2 for others.
    expect(Math.max(...seen.once.map(({ effects }) => effects))).toBe(1);
  });

  it("S3.2 apply an idempotent action once, under its key, however often it is dispatched", async () => {
    const { seen } = await played;
    expect(byStatus(seen.idempotent)).toEqual({ success: [1], failed: [0], unknown: [0, 1] });
    expect(seen.idempotent.some(({ row }) => row.attemptCount > 1 && row.status === "success")).toBe(true);
  });

  it("S3.9 leave no read unknown, and change nothing by one", async () => {
    const { seen } = await played;
    expect(byStatus(seen.none)).toEqual({ success: [0], failed: [0] });
  });
});
