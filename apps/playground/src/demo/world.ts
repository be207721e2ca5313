import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { latencyMs } from "../scenario/latency.js";
import { type Reply, replyTo, type WorldScript } from "../scenario/reply.js";

/** A fresh outside world, with a ledger of the effects that really happened in it. */
export interface World {
  /** `POST <url>/<action id>` acts, `GET <url>/<action id>` says what became of it. */
  readonly url: string;
  /** Ids of the actions whose effects happened, in order. */
  readonly ledger: readonly string[];
  /** Requests to act, whatever came of them. */
  readonly requests: readonly string[];
  /** Resolves when the first of them arrives. */
  readonly firstRequest: Promise<void>;
  /** Resolves when a request arrives after which its sender dies. */
  readonly crash: Promise<void>;
}

/** Hears what happens in a world as it happens. */
export interface WorldObserver {
  request(actionId: string): void;
  effect(actionId: string): void;
}

/** The HTTP service that all worlds live in, on one free loopback port. */
export interface WorldService {
  readonly origin: string;
  /** With a seed, every answer takes as long as the page's network takes with the same seed. */
  open(script: WorldScript, seed?: string, observer?: WorldObserver): World;
  close(): Promise<void>;
}

/** Starts the service. Nothing is left open after `close`. */
export async function startWorldService(): Promise<WorldService> {
  const worlds = new Map<string, ScriptedWorld>();
  const server = createServer((request, response) => {
    const [, id = "", action = ""] = (request.url ?? "").split("/").map(decodeURIComponent);
    const world = worlds.get(id);
    if (world === undefined) response.writeHead(404).end();
    else request.resume().on("end", () => world.answer(request, response, action));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    open(script, seed, observer) {
      const id = `world-${worlds.size + 1}`;
      const world = new ScriptedWorld(`${origin}/${id}`, script, seed, observer);
      worlds.set(id, world);
      return world;
    },
    close() {
      for (const world of worlds.values()) world.end();
      return new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

class ScriptedWorld implements World {
  readonly url: string;
  readonly ledger: string[] = [];
  readonly requests: string[] = [];
  readonly firstRequest: Promise<void>;
  readonly crash: Promise<void>;
  #arrived = () => {};
  #crashed = () => {};
  readonly #script: WorldScript;
  readonly #seed: string | undefined;
  readonly #observer: WorldObserver | undefined;
  /** What was answered to a key; undefined while its request is being processed. */
  readonly #answered = new Map<string, string | undefined>();
  readonly #closedUntil = new Map<string, { untilMs: number; reply: Reply }>();
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(url: string, script: WorldScript, seed: string | undefined, observer: WorldObserver | undefined) {
    this.#observer = observer;
    this.url = url;
    this.#script = script;
    this.#seed = seed;
    this.crash = new Promise((resolve) => {
      this.#crashed = resolve;
    });
    this.firstRequest = new Promise((resolve) => {
      this.#arrived = resolve;
    });
  }

  answer(request: IncomingMessage, response: ServerResponse, action: string): void {
    if (request.method === "GET") this.#lookUp(response, action);
    else this.#receive(request, response, action);
  }

  end(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #receive(request: IncomingMessage, response: ServerResponse, action: string): void {
    this.requests.push(action);
    this.#observer?.request(action);
    this.#arrived();
    const header = request.headers["idempotency-key"];
    const key = this.#script.honoursIdempotencyKey && typeof header === "string" ? header : undefined;
    if (key !== undefined && this.#answered.has(key)) this.#answerAgain(response, this.#answered.get(key));
    else this.#act(response, action, key);
  }

  #act(response: ServerResponse, action: string, key: string | undefined): void {
    const reply = this.#nextReply(action);
    const { applied, dropReply, status, retryAfter } = reply;
    if (applied) this.#happen(action);
    if (reply.crash) this.#crashed();
    // The connection stays open until its other end, or the world, goes away.
    if (reply.crash || reply.hang) return;
    const slowMs = reply.slowMs + this.#latency(action);
    const body = JSON.stringify({ action, effect: applied ? this.ledger.length : null });
    if (applied && key !== undefined) this.#answered.set(key, undefined);
    const finish = () => {
      if (applied && key !== undefined) this.#answered.set(key, body);
      if (dropReply) response.destroy();
      else send(response, status, body, retryAfter === undefined ? {} : { "Retry-After": String(retryAfter) });
    };
    if (slowMs === 0) finish();
    else this.#later(finish, slowMs);
  }

  #later(finish: () => void, delayMs: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      finish();
    }, delayMs);
    this.#timers.add(timer);
  }

  #happen(action: string): void {
    this.ledger.push(action);
    this.#observer?.effect(action);
  }

  #countOf(action: string): number {
    return this.requests.filter((each) => each === action).length;
  }

  #latency(action: string): number {
    return this.#seed === undefined ? 0 : latencyMs(this.#seed, action, this.#countOf(action) - 1);
  }

  #nextReply(action: string): Reply {
    const closed = this.#closedUntil.get(action);
    if (closed !== undefined && performance.now() < closed.untilMs) return closed.reply;
    this.#closedUntil.delete(action);
    const reply = replyTo(this.#script, action, this.#countOf(action) - 1);
    if (reply.retryAfter !== undefined) {
      this.#closedUntil.set(action, { untilMs: performance.now() + reply.retryAfter * 1000, reply });
    }
    return reply;
  }

  // As draft-ietf-httpapi-idempotency-key-header has it.
  #answerAgain(response: ServerResponse, body: string | undefined): void {
    if (body === undefined) send(response, 409, JSON.stringify({ title: "a request with this key is in progress" }));
    else send(response, 200, body);
  }

  #lookUp(response: ServerResponse, action: string): void {
    const effects = this.ledger.filter((each) => each === action).length;
    send(response, effects > 0 ? 200 : 404, JSON.stringify({ action, effects }));
  }
}

function send(response: ServerResponse, status: number, body: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(body);
}
