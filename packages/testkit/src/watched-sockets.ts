/** A `net.Socket`, as far as it matters. */
interface Socket {
  readonly bytesWritten: number;
  readonly destroyed: boolean;
  /** Of an accepted connection only. */
  readonly server?: unknown;
  readonly _handle?: { getAsyncId(): number; readonly constructor: { readonly name: string } } | null;
}

interface Watched {
  readonly socket: Socket;
  readonly name: string;
  /** How much had been written when something last came in: what was written since awaits an answer. */
  writtenAtRead: number;
  reads: number;
  lastReadMs: number;
  /** How often it was looked at since. */
  looks: number;
}

const CONNECTIONS: ReadonlySet<string> = new Set(["TCP", "TLSWrap"]);

/** An answer may come in pieces: something is awaited for so long after the last, and for so many looks. */
const LINGER_MS = 4;
const LINGER_LOOKS = 20;

/**
 * Connections on which an answer is awaited: more was written to them, and nothing has come in since. It shows the queries
 * of a pool whose connections were open long before. One that is never answered is named alike until something comes in,
 * so that it is waited for once only.
 */
export class WatchedSockets {
  readonly #handles: () => readonly object[];
  readonly #realNow: () => number;
  /** By the number under which `node:async_hooks` knows the connection. */
  readonly #byId = new Map<number, Watched>();
  #count = 0;

  constructor(handles: () => readonly object[], realNow: () => number) {
    this.#handles = handles;
    this.#realNow = realNow;
  }

  /** The connection with this number is about to hand something in. */
  comesIn(id: number): void {
    const watched = this.#byId.size === 0 ? undefined : this.#byId.get(id);
    if (watched === undefined) return;
    watched.writtenAtRead = watched.socket.bytesWritten;
    watched.reads++;
    watched.lastReadMs = this.#realNow();
    watched.looks = 0;
  }

  /** What is awaited, one entry each. A connection that is seen for the first time awaits nothing. */
  live(): string[] {
    const awaited: string[] = [];
    for (const handle of this.#handles()) {
      const socket = handle as Socket;
      if (!isClient(socket)) continue;
      const id = socket._handle!.getAsyncId();
      const watched = this.#byId.get(id) ?? this.#meet(id, socket);
      if (this.#isAwaited(watched)) awaited.push(`watched ${watched.name}, reply ${watched.reads}`);
    }
    return awaited;
  }

  #isAwaited(watched: Watched): boolean {
    const { socket, writtenAtRead, lastReadMs } = watched;
    if (socket.bytesWritten > writtenAtRead) return true;
    return watched.looks++ < LINGER_LOOKS || this.#realNow() - lastReadMs < LINGER_MS;
  }

  /** The connection with this number is gone. */
  forget(id: number): void {
    this.#byId.delete(id);
  }

  #meet(id: number, socket: Socket): Watched {
    const watched = {
      socket,
      name: `connection ${++this.#count}`,
      writtenAtRead: socket.bytesWritten,
      reads: 0,
      lastReadMs: Number.NEGATIVE_INFINITY,
      looks: LINGER_LOOKS,
    };
    this.#byId.set(id, watched);
    return watched;
  }
}

function isClient({ _handle, server, destroyed, bytesWritten }: Socket): boolean {
  if (destroyed || server != null || typeof bytesWritten !== "number") return false;
  return typeof _handle?.getAsyncId === "function" && CONNECTIONS.has(_handle.constructor.name);
}
