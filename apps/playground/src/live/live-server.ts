import { randomBytes, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { bearerToken, createExecutionHandler, toNodeListener } from "@eoc/adapter-http";
import { createManualKillSwitch } from "@eoc/core";
import { startWorldService } from "../demo/world.js";
import { type PlayTexts, setupOfTexts } from "../engine/play-texts.js";
import { type LiveRun, openLiveRun } from "./live-run.js";
import { createPageFiles } from "./page-files.js";
import type { LiveOffer, LiveRunStarted, WorldMessage } from "./wire.js";

export interface LiveServer {
  readonly origin: string;
  /** Bearer token for runs and for the kill switch. */
  readonly token: string;
  close(): Promise<void>;
}

/** Runs that can still be followed; the oldest are forgotten first. */
const MAX_RUNS = 20;
const MAX_REQUEST_BYTES = 200_000;

/** Serves the page of `folder` over a real HTTP world, on loopback only. `port` 0 is any that is free. */
export async function startLiveServer({ folder, port }: { folder: URL; port: number }): Promise<LiveServer> {
  const service = await startWorldService();
  const token = randomBytes(24).toString("base64url");
  const offer: LiveOffer = { token, world: service.origin };
  const files = createPageFiles(folder, offer);
  const killSwitch = createManualKillSwitch();
  const isAllowed = bearerToken(token);
  const runs = new Map<string, LiveRun>();
  // Nothing is executed here: it is the kill switch's place.
  const control = createExecutionHandler({
    policy: {},
    executor: () => ({ ok: false, code: "not_here", retryable: false }),
    authorize: () => false,
    ports: { killSwitch },
    control: { token },
    basePath: "/live",
  });

  const startRun = async (request: Request): Promise<Response> => {
    const text = await request.text();
    if (text.length > MAX_REQUEST_BYTES) return refusal(413, "the setup is too long");
    const { setup, problem } = readSetup(text);
    if (setup === undefined) return refusal(422, problem);
    const id = randomUUID();
    const run = openLiveRun(setup, service, { token, killSwitch, basePath: `/live/runs/${id}` });
    runs.set(id, run);
    for (const old of [...runs.keys()].slice(0, -MAX_RUNS)) runs.delete(old);
    return Response.json({ id, startedAtMs: run.startedAtMs } satisfies LiveRunStarted, { status: 201 });
  };

  const handle = async (request: Request): Promise<Response> => {
    const { pathname, hostname } = new URL(request.url);
    // A name that leads here from elsewhere is a page of somebody else's.
    if (hostname !== "127.0.0.1" && hostname !== "localhost") return refusal(421, "ask 127.0.0.1");
    if (pathname === "/live/control" || pathname === "/live/health") return control(request);
    if (!pathname.startsWith("/live/")) return files(pathname);
    if ((await isAllowed(request)) !== true) return refusal(403, "the token of this server is needed");
    if (pathname === "/live/runs" && request.method === "POST") return startRun(request);
    const [, id = "", rest = ""] = /^\/live\/runs\/([\w-]+)\/(.*)$/.exec(pathname) ?? [];
    const run = runs.get(id);
    if (run === undefined) return refusal(404, "there is no such run, or no longer");
    if (rest === "journal") return Response.json(run.journal);
    return rest === "world" ? streamOf(run, request.signal) : run.handle(request);
  };

  const server = createServer(toNodeListener(handle));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, "127.0.0.1", resolve);
  });
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token,
    close: async () => {
      await service.close();
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
    },
  };
}

function readSetup(text: string): { setup?: ReturnType<typeof setupOfTexts>["setup"]; problem: string } {
  let texts: PlayTexts;
  try {
    texts = JSON.parse(text) as PlayTexts;
    const { setup, issues } = setupOfTexts(texts);
    const [issue] = issues;
    if (setup === undefined) return { problem: `${issue?.field}: ${issue?.where}: ${issue?.message}` };
    const crashes = [...setup.world.replies.values()].flat().some(({ crash }) => crash);
    if (crashes) return { problem: "a crash is played on virtual time, and by the demo in the terminal: not live" };
    return { setup, problem: "" };
  } catch {
    return { problem: "that is no setup" };
  }
}

function refusal(status: number, detail: string): Response {
  const headers = { "content-type": "application/problem+json" };
  return new Response(JSON.stringify({ status, detail }), { status, headers });
}

/** Server-sent events: what happens in both worlds, as it happens. */
function streamOf(run: LiveRun, gone: AbortSignal): Response {
  const encoder = new TextEncoder();
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => {
      let isOpen = true;
      const close = () => {
        if (!isOpen) return;
        isOpen = false;
        controller.close();
      };
      gone.addEventListener("abort", close, { once: true });
      const tell = (message: WorldMessage) => {
        if (isOpen) controller.enqueue(encoder.encode(`data: ${JSON.stringify(message)}\n\n`));
      };
      run.follow(tell).then(close, close);
    },
  });
  return new Response(stream, { headers: { "content-type": "text/event-stream", "cache-control": "no-store" } });
}
