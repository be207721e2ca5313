interface DiagnosticsChannel {
  subscribe(channel: string, listener: (message: unknown) => void): void;
  unsubscribe(channel: string, listener: (message: unknown) => void): void;
}

/** What `node:http` publishes of a request of its own. */
interface ClientRequest {
  readonly destroyed?: boolean;
  readonly res?: { readonly complete: boolean } | null;
}

/**
 * HTTP requests under way: `fetch` (undici) and `node:http`. Their connections do not tell: one that a pool kept open was
 * there before the request, and stays when it is over. Node publishes requests on `node:diagnostics_channel`. Only while
 * somebody watches.
 */
export class WatchedRequests {
  readonly #channel: DiagnosticsChannel;
  /** Each with a name of its own, so that one that never ends hides no other. */
  readonly #requests = new Map<object, string>();
  readonly #listeners: Readonly<Record<string, (message: unknown) => void>>;
  #begun = 0;
  #watchers = 0;

  constructor(channel: DiagnosticsChannel) {
    this.#channel = channel;
    const begin = (message: unknown) => {
      this.#requests.set((message as { request: object }).request, `watched request ${++this.#begun}`);
    };
    const end = (message: unknown) => {
      this.#requests.delete((message as { request: object }).request);
    };
    this.#listeners = {
      "undici:request:create": begin,
      "undici:request:trailers": end,
      "undici:request:error": end,
      "http.client.request.start": begin,
      "http.client.request.error": end,
    };
  }

  /** Observes until the returned function is called. */
  watch(): () => void {
    if (this.#watchers++ === 0) {
      for (const [name, listener] of Object.entries(this.#listeners)) this.#channel.subscribe(name, listener);
    }
    return () => {
      if (--this.#watchers > 0) return;
      for (const [name, listener] of Object.entries(this.#listeners)) this.#channel.unsubscribe(name, listener);
      this.#requests.clear();
    };
  }

  /** What is under way, one entry each. */
  live(): string[] {
    for (const request of this.#requests.keys()) if (isOver(request)) this.#requests.delete(request);
    return [...this.#requests.values()];
  }
}

/** Of `node:http`, which publishes the beginning of an answer and not its end. */
function isOver({ destroyed, res }: ClientRequest): boolean {
  return destroyed === true || res?.complete === true;
}
