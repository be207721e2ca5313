import type { ExecutionHandler } from "./handler/options.js";

/** The parts of Node's `http.IncomingMessage` that are used; HTTP/2's compatibility request has them too. */
export interface NodeIncoming {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly socket?: object | null;
  on(event: "data", listener: (chunk: Uint8Array) => void): unknown;
  on(event: "end" | "close" | "error", listener: () => void): unknown;
  pause(): unknown;
  resume(): unknown;
}

/** The parts of Node's `http.ServerResponse` that are used; HTTP/2's compatibility response has them too. */
export interface NodeOutgoing {
  readonly writableFinished: boolean;
  writeHead(status: number, headers: Record<string, string | string[]>): unknown;
  write(chunk: Uint8Array): boolean;
  end(): unknown;
  destroy(): unknown;
  on(event: "close" | "drain" | "error", listener: () => void): unknown;
  flushHeaders?(): void;
}

/**
 * Serves Node's `http`, `https` and `http2` with a handler of web-standard requests: `createServer(toNodeListener(handler))`. The request's
 * signal aborts when the connection is lost before the response has ended.
 */
export function toNodeListener(handler: ExecutionHandler): (incoming: NodeIncoming, outgoing: NodeOutgoing) => void {
  return (incoming, outgoing) => {
    serve(handler, incoming, outgoing).catch(() => outgoing.destroy());
  };
}

async function serve(handler: ExecutionHandler, incoming: NodeIncoming, outgoing: NodeOutgoing): Promise<void> {
  const gone = new AbortController();
  const drained = listenForDrain(outgoing, gone.signal);
  outgoing.on("close", () => {
    if (!outgoing.writableFinished) gone.abort();
  });
  // The close of a connection says what there is to say.
  incoming.on("error", () => {});
  outgoing.on("error", () => {});

  const body = incomingBody(incoming);
  const request = requestOf(incoming, body.stream, gone.signal);
  const response = request === undefined ? new Response(null, { status: 400 }) : await handler(request);
  outgoing.writeHead(response.status, headersOf(response.headers));
  if (response.body === null || incoming.method === "HEAD") {
    response.body?.cancel().catch(() => {});
  } else {
    outgoing.flushHeaders?.();
    const reader = response.body.getReader();
    gone.signal.addEventListener("abort", () => reader.cancel().catch(() => {}));
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      if (!outgoing.write(next.value)) await drained();
    }
  }
  outgoing.end();
  // What the handler left unread would keep the connection from its next request.
  body.discard();
}

function requestOf(incoming: NodeIncoming, body: ReadableStream<Uint8Array>, signal: AbortSignal): Request | undefined {
  const { method = "GET", url = "/", headers, socket } = incoming;
  const scheme = (socket as { encrypted?: boolean } | null | undefined)?.encrypted === true ? "https" : "http";
  const host = headers["host"] ?? headers[":authority"] ?? "localhost";
  const fields = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name.startsWith(":")) continue;
    for (const each of Array.isArray(value) ? value : [value]) fields.append(name, each);
  }
  const hasBody = method !== "GET" && method !== "HEAD";
  const init = { method, headers: fields, signal, ...(hasBody && { body, duplex: "half" }) };
  try {
    // Of the host only the origin counts: what else it holds must not change the path.
    return new Request(url.startsWith("/") ? `${new URL(`${scheme}://${host}`).origin}${url}` : url, init);
  } catch {
    return undefined; // A host that is none, or a method that `Request` refuses.
  }
}

/** A request's body as a stream that asks the socket for more only when it is read. */
function incomingBody(incoming: NodeIncoming): { stream: ReadableStream<Uint8Array>; discard: () => void } {
  let wanted = true;
  const discard = () => {
    wanted = false;
    incoming.resume();
  };
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      const finish = (end: () => void) => () => {
        if (wanted) end();
        wanted = false;
      };
      incoming.on("data", (chunk: Uint8Array) => {
        if (!wanted) return;
        controller.enqueue(chunk);
        if ((controller.desiredSize ?? 0) <= 0) incoming.pause();
      });
      incoming.on(
        "end",
        finish(() => controller.close()),
      );
      incoming.on(
        "close",
        finish(() => controller.error(new Error("the connection was lost"))),
      );
    },
    pull: () => {
      incoming.resume();
    },
    // The rest is read and thrown away: closing now could lose the response.
    cancel: discard,
  });
  return { stream, discard };
}

function headersOf(headers: Headers): Record<string, string | string[]> {
  const fields: Record<string, string | string[]> = Object.fromEntries(headers);
  const cookies = headers.getSetCookie();
  return cookies.length > 1 ? { ...fields, "set-cookie": cookies } : fields;
}

/** Waits until more can be written, or nobody reads any more. */
function listenForDrain(outgoing: NodeOutgoing, gone: AbortSignal): () => Promise<void> {
  let resume = () => {};
  outgoing.on("drain", () => resume());
  gone.addEventListener("abort", () => resume());
  return () =>
    new Promise((resolve) => {
      resume = resolve;
      if (gone.aborted) resolve();
    });
}
