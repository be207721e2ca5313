import { AcceptedSockets } from "./accepted-sockets.js";
import { WatchedRequests } from "./watched-requests.js";
import { WatchedSockets } from "./watched-sockets.js";
import { WatchedWork } from "./watched-work.js";

/**
 * The machine underneath: the only file of this package that touches real time. Everything is taken from the global
 * object by feature, once, when the module loads: nothing is patched, and fake timers that somebody else installs
 * later do not reach it.
 */
export interface Host {
  /** One full macrotask turn: when it resolves, every microtask and tick that could run has run. */
  turn(): Promise<void>;
  /** About a real millisecond in which the process may sleep. */
  pause(): Promise<void>;
  /** Real monotonic milliseconds. */
  elapsedMs(): number;
  /** Calls back after real milliseconds, unless the returned function is called first. */
  after(delayMs: number, callback: () => void): () => void;
  /**
   * Kinds of what keeps the event loop alive, one entry each, without the host's own turns and pauses and without what
   * a server merely keeps open. Absent where the platform cannot tell.
   */
  readonly liveWork?: () => readonly string[];
  /** Also shows what can only be seen by watching, until the returned function is called. */
  watch(): () => void;
}

interface Port {
  onmessage: (() => void) | null;
  postMessage(message: unknown): void;
}

interface Globals {
  setImmediate?: (callback: () => void) => unknown;
  MessageChannel?: new () => { port1: Port; port2: Port };
  setTimeout(callback: () => void, delayMs: number): unknown;
  clearTimeout(timer: unknown): void;
  performance: { now(): number };
  process?: {
    getActiveResourcesInfo?: () => string[];
    _getActiveHandles?: () => object[];
    getBuiltinModule?: (name: string) => unknown;
  };
}

const globals = globalThis as unknown as Globals;
const { setImmediate, MessageChannel, setTimeout, clearTimeout, performance, process } = globals;
const realNow = performance.now.bind(performance);

/** Own immediates and timers, which several clocks in one process must not take for each other's work. */
const own = { Immediate: 0, Timeout: 0 };
let isArmingOwn = false;

const hooks = process?.getBuiltinModule?.("node:async_hooks");
const channel = process?.getBuiltinModule?.("node:diagnostics_channel");
const sockets =
  process?._getActiveHandles === undefined
    ? undefined
    : new WatchedSockets(() => process._getActiveHandles!(), realNow);
const watched = hooks === undefined ? undefined : new WatchedWork(hooks as never, realNow, () => isArmingOwn, sockets);
const accepted = channel === undefined ? undefined : new AcceptedSockets(channel as never);
const requests = channel === undefined ? undefined : new WatchedRequests(channel as never);

/** The platform this runs on. */
export const host: Host = {
  turn: makeTurn(),
  pause: () => ownTimer(1),
  elapsedMs: realNow,
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
  watch: () => {
    const ends = [watched?.watch(), accepted?.watch(), requests?.watch()];
    return () => {
      for (const end of ends) end?.();
    };
  },
  ...(canTellLiveWork() ? { liveWork } : undefined),
};

function makeTurn(): () => Promise<void> {
  // In this order because browsers hold nested zero timeouts back by 4 ms.
  if (setImmediate !== undefined) {
    return () =>
      new Promise((resolve) => {
        own.Immediate++;
        setImmediate(() => {
          own.Immediate--;
          resolve();
        });
      });
  }
  if (MessageChannel === undefined) return () => ownTimer(0);
  const { port1, port2 } = new MessageChannel();
  const waiting: (() => void)[] = [];
  port1.onmessage = () => waiting.shift()?.();
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      port2.postMessage(null);
    });
}

function ownTimer(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    own.Timeout++;
    isArmingOwn = true;
    setTimeout(() => {
      own.Timeout--;
      resolve();
    }, delayMs);
    isArmingOwn = false;
  });
}

function liveWork(): readonly string[] {
  const live = process!.getActiveResourcesInfo!();
  const replies = live.includes("TCPSocketWrap") ? (sockets?.live() ?? []) : [];
  forget(live, "Immediate", own.Immediate);
  forget(live, "Timeout", own.Timeout + (watched?.timerCount() ?? 0));
  forget(live, "TCPSocketWrap", accepted?.count() ?? 0);
  return live.concat(watched?.live() ?? [], requests?.live() ?? [], replies);
}

function forget(live: string[], kind: string, count: number): void {
  for (let left = count; left > 0; left--) {
    const at = live.lastIndexOf(kind);
    if (at >= 0) live.splice(at, 1);
  }
}

/** Some runtimes have the function but always answer with an empty list: it must show a timer that is really armed. */
function canTellLiveWork(): boolean {
  if (typeof process?.getActiveResourcesInfo !== "function") return false;
  const before = process.getActiveResourcesInfo().length;
  const timer = setTimeout(() => {}, 1000);
  const after = process.getActiveResourcesInfo().length;
  clearTimeout(timer);
  return after === before + 1;
}
