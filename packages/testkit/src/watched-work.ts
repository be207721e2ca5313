import type { WatchedSockets } from "./watched-sockets.js";

interface Resource {
  hasRef?: () => boolean;
  ondone?: unknown;
  buffer?: unknown;
}

interface Watched {
  readonly kind: string;
  readonly resource: Resource;
  readonly sinceMs: number;
  /** A timer that has fired no longer counts as alive for the platform, although it is destroyed a little later. */
  hasFired: boolean;
}

interface AsyncHooks {
  createHook(hooks: {
    trackPromises: boolean;
    init(id: number, kind: string, trigger: number, resource: object): void;
    before(id: number): void;
    after(id: number): void;
    destroy(id: number): void;
  }): { enable(): void; disable(): void };
}

const TIMER = "Timeout";
const COMPRESSOR = "ZLIB";
const isJob = (kind: string) => kind.endsWith("REQUEST");

const ALWAYS_ASYNC: ReadonlySet<string> = new Set(["HASHREQUEST", "CIPHERREQUEST"]);

/** Kinds that WebCrypto and the blocking calls of `node:crypto` share, and that nothing tells apart from outside. */
const MAY_BE_BLOCKING: ReadonlySet<string> = new Set([
  "SIGNREQUEST",
  "VERIFYREQUEST",
  "DERIVEBITSREQUEST",
  "KEYGENREQUEST",
  "KEYPAIRGENREQUEST",
  "KEYEXPORTREQUEST",
]);

/** How long such a job is taken for one that will call back. */
const DOUBTFUL_MS = 200;

/**
 * Real work that counting live things misses, watched through `node:async_hooks`, without promises where the platform
 * allows it (`trackPromises`), and only while somebody watches:
 * - timers one by one, because a runner's timer that ends would hide one that has begun;
 * - hashing, signing, ciphering and compressing in Node's thread pool, which keep no handle.
 */
export class WatchedWork {
  readonly #hook: { enable(): void; disable(): void };
  readonly #work = new Map<number, Watched>();
  readonly #realNow: () => number;
  #watchers = 0;

  constructor(hooks: AsyncHooks, realNow: () => number, isOwn: () => boolean, sockets: WatchedSockets | undefined) {
    const work = this.#work;
    this.#realNow = realNow;
    this.#hook = hooks.createHook({
      trackPromises: false,
      init(id, kind, _trigger, resource) {
        if (kind !== TIMER && kind !== COMPRESSOR && !isJob(kind)) return;
        if (!isOwn()) work.set(id, { kind, resource, sinceMs: realNow(), hasFired: false });
      },
      before(id) {
        sockets?.comesIn(id);
      },
      after(id) {
        const watched = work.size === 0 ? undefined : work.get(id);
        if (watched === undefined) return;
        watched.hasFired = true;
        // An interval fires again, and a compressor works on chunk by chunk; a job is over.
        if (isJob(watched.kind)) work.delete(id);
      },
      destroy(id) {
        work.delete(id);
        sockets?.forget(id);
      },
    });
  }

  /** Watches until the returned function is called. */
  watch(): () => void {
    if (this.#watchers++ === 0) this.#hook.enable();
    return () => {
      if (--this.#watchers > 0) return;
      this.#hook.disable();
      this.#work.clear();
    };
  }

  /** How many of the timers that the platform shows are watched. */
  timerCount(): number {
    let count = 0;
    for (const { kind, resource, hasFired } of this.#work.values()) {
      if (kind === TIMER && !hasFired && resource.hasRef?.() === true) count++;
    }
    return count;
  }

  /** What is under way, one entry each. */
  live(): string[] {
    const kinds: string[] = [];
    for (const watched of this.#work.values()) if (this.#isUnderWay(watched)) kinds.push(`watched ${watched.kind}`);
    return kinds;
  }

  #isUnderWay({ kind, resource, sinceMs }: Watched): boolean {
    if (kind === TIMER) return resource.hasRef?.() === true;
    if (kind === COMPRESSOR) return resource.buffer != null;
    if (typeof resource.ondone === "function" || ALWAYS_ASYNC.has(kind)) return true;
    return MAY_BE_BLOCKING.has(kind) && this.#realNow() - sinceMs < DOUBTFUL_MS;
  }
}
