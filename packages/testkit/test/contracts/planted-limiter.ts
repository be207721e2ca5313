import type { Clock, RateLimiter, RateRequest } from "@eoc/core";

/** What can be wrong with a limiter. */
export type LimiterFault =
  | "counts in fixed windows"
  | "burns the permits of a refused request"
  | "counts refused requests"
  | "counts from the grant"
  | "lets open permits lapse"
  | "stamps a permit as often as it is told"
  | "hands nothing back"
  | "hands back what was dispatched"
  | "says 0 for when to ask again"
  | "asks to wait far too long"
  | "counts all keys together"
  | "lets the window's last millisecond go"
  | "cuts windows off at 2^31"
  | "goes by its callers' clocks"
  | "gives every connection a limit of its own"
  | "ends windows early for other connections"
  | "forgets a start with its own window"
  | "forgets a start with the longest window that was granted"
  | "frees a permit when its lease runs out"
  | "keeps a permit for ever, whatever its lease";

interface Permit {
  key: string;
  atMs: number;
  isOpen: boolean;
  connection: number;
  /** How long it is remembered by one that forgets. */
  keptMs: number;
}

/** Opens connections to one exact limiter, asynchronous as real ones are, with at most one thing wrong with it. */
export function plantedLimiter(clock: Clock, fault?: LimiterFault, permitLeaseMs?: number): () => RateLimiter {
  const shared: { permits: Permit[] } = { permits: [] };
  let connections = 0;
  return () =>
    connect(clock, connections++, fault === "gives every connection a limit of its own" ? { permits: [] } : shared, {
      fault,
      permitLeaseMs,
    });
}

function connect(
  clock: Clock,
  connection: number,
  log: { permits: Permit[] },
  { fault, permitLeaseMs }: { fault: LimiterFault | undefined; permitLeaseMs: number | undefined },
): RateLimiter {
  const time = (callersMs: number) => (fault === "goes by its callers' clocks" ? callersMs : clock.monotonic());
  const windowOf = ({ windowMs }: RateRequest) =>
    fault === "cuts windows off at 2^31" ? Math.min(windowMs, 2 ** 31 - 1) : windowMs;
  /** A permit whose lease ran out is taken for dispatched at that moment. */
  const giveUpOn = (permit: Permit, nowMs: number) => {
    if (!permit.isOpen || permitLeaseMs === undefined || nowMs < permit.atMs + permitLeaseMs) return;
    if (fault === "keeps a permit for ever, whatever its lease") return;
    permit.isOpen = false;
    permit.atMs =
      fault === "frees a permit when its lease runs out" ? Number.NEGATIVE_INFINITY : permit.atMs + permitLeaseMs;
  };
  const counts = (permit: Permit, request: RateRequest, nowMs: number) => {
    giveUpOn(permit, nowMs);
    let windowMs = windowOf(request) - (fault === "lets the window's last millisecond go" ? 1 : 0);
    if (fault === "ends windows early for other connections" && permit.connection !== connection) windowMs /= 2;
    if (fault?.startsWith("forgets") && !permit.isOpen && permit.atMs + permit.keptMs <= nowMs) return false;
    if (permit.isOpen && fault !== "lets open permits lapse") return true;
    if (fault === "counts in fixed windows") return Math.trunc(permit.atMs / windowMs) === Math.trunc(nowMs / windowMs);
    return permit.atMs + windowMs > nowMs;
  };
  return {
    acquire: async (requests, callersMs) => {
      const nowMs = time(callersMs);
      const keyOf = ({ key }: RateRequest) => (fault === "counts all keys together" ? "all" : key);
      const permitFor = (request: RateRequest) => ({
        key: keyOf(request),
        atMs: nowMs,
        isOpen: false,
        connection,
        keptMs: request.windowMs,
      });
      const taken: Permit[] = [];
      let retryAfterMs = 0;
      for (const request of requests) {
        const counted = log.permits.filter((permit) => permit.key === keyOf(request) && counts(permit, request, nowMs));
        if (counted.length < request.limit) taken.push(permitFor(request));
        else {
          const firstMs = Math.min(...counted.map(({ atMs }) => atMs));
          retryAfterMs = Math.max(retryAfterMs, firstMs + windowOf(request) - nowMs, 1);
        }
      }
      if (retryAfterMs > 0) {
        if (fault === "burns the permits of a refused request") log.permits.push(...taken);
        if (fault === "counts refused requests") log.permits.push(...requests.map(permitFor));
        if (fault === "says 0 for when to ask again") return { granted: false, retryAfterMs: 0 };
        return { granted: false, retryAfterMs: retryAfterMs * (fault === "asks to wait far too long" ? 60 : 1) };
      }
      for (const permit of taken) permit.isOpen = true;
      log.permits.push(...taken);
      if (fault === "forgets a start with the longest window that was granted") {
        const keptMs = Math.max(...log.permits.map((permit) => permit.keptMs));
        for (const permit of log.permits) permit.keptMs = keptMs;
      }
      return {
        granted: true,
        dispatched: (startMs) => {
          for (const permit of taken) {
            const isFirst = permit.isOpen || fault === "stamps a permit as often as it is told";
            if (isFirst && fault !== "counts from the grant") permit.atMs = time(startMs);
            permit.isOpen = false;
          }
        },
        cancel: () => {
          if (fault === "hands nothing back") return;
          log.permits = log.permits.filter(
            (permit) => !taken.includes(permit) || (!permit.isOpen && fault !== "hands back what was dispatched"),
          );
        },
      };
    },
  };
}
