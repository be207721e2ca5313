interface Socket {
  readonly destroyed: boolean;
}

interface DiagnosticsChannel {
  subscribe(channel: string, listener: (message: unknown) => void): void;
  unsubscribe(channel: string, listener: (message: unknown) => void): void;
}

/** Published by Node for every connection that a server accepts. */
const CHANNEL = "net.server.socket";

/**
 * Connections that a server in this process has accepted. They stay alive as long as the client likes (keep-alive), and
 * nobody waits for them: who waits for an answer is the client, whose own socket shows. Only while somebody watches.
 */
export class AcceptedSockets {
  readonly #channel: DiagnosticsChannel;
  readonly #sockets = new Set<Socket>();
  readonly #listener: (message: unknown) => void;
  #watchers = 0;

  constructor(channel: DiagnosticsChannel) {
    this.#channel = channel;
    this.#listener = (message) => this.#sockets.add((message as { socket: Socket }).socket);
  }

  /** Observes until the returned function is called. */
  watch(): () => void {
    if (this.#watchers++ === 0) this.#channel.subscribe(CHANNEL, this.#listener);
    return () => {
      if (--this.#watchers > 0) return;
      this.#channel.unsubscribe(CHANNEL, this.#listener);
      this.#sockets.clear();
    };
  }

  /** How many are open. */
  count(): number {
    for (const socket of this.#sockets) if (socket.destroyed) this.#sockets.delete(socket);
    return this.#sockets.size;
  }
}
