import type { ClaimVerdict, Clock, IdempotencyRecord, IdempotencyState, IdempotencyStore } from "@eoc/core";

/** What can be wrong with a store. */
export type StoreFault =
  | "looks and claims in two steps"
  | "ignores the payload"
  | "takes a started key over when its lease runs out"
  | "frees a key in doubt after its lease"
  | "does not check tokens"
  | "gives every claim the same token"
  | "renews nothing"
  | "forgets null values"
  | "folds keys to lower case"
  | "goes by the callers' clocks"
  | "goes by the wall clock"
  | "expires records with the lease"
  | "keeps records for ever"
  | "lets late answers change nothing"
  | "lets a completed key be released"
  | "takes over whatever it is asked to"
  | "takes nothing over"
  | "forgets the doubt of what it takes over"
  | "releases only once"
  | "lists released keys"
  | "resolves what is not in doubt"
  | "takes any word for an outcome"
  | "brings a key in doubt back when it is renewed too late"
  | "gives no token"
  | "lets everybody claim"
  | "forgets that a value was left out"
  | "writes to keys that nobody has claimed"
  | "lets leases run out early"
  | "frees nothing that is resolved"
  | "makes a value up for what is resolved"
  | "gives every connection keys of its own"
  | "checks only the tokens that its connection gave"
  | "looks and completes in two steps"
  | "looks and starts in two steps"
  | "starts what is in doubt"
  | "says that it renewed what is in doubt"
  | "times leases for the connection that has them only";

interface Entry {
  state: IdempotencyState | "released";
  fingerprint: string;
  token: number;
  untilMs: number;
  /** Who claimed it. */
  connection: number;
  record?: IdempotencyRecord;
}

interface Shared {
  readonly entries: Map<string, Entry>;
  tokens: number;
}

/** Opens connections to one store, asynchronous as real ones are, with at most one thing wrong with it. */
export function plantedStore(clock: Clock, fault?: StoreFault): () => Required<IdempotencyStore> {
  const monotonic = { ...clock, now: () => clock.monotonic() };
  const isWall = fault === "goes by the wall clock" || fault === "goes by the callers' clocks";
  const open = (): Shared => ({ entries: new Map(), tokens: 0 });
  const shared = open();
  let connections = 0;
  return () =>
    connect(
      isWall ? clock : monotonic,
      connections++,
      fault === "gives every connection keys of its own" ? open() : shared,
      fault,
    );
}

function connect(clock: Clock, connection: number, shared: Shared, fault?: StoreFault): Required<IdempotencyStore> {
  const { entries } = shared;
  const fold = (key: string) => (fault === "folds keys to lower case" ? key.toLowerCase() : key);

  const current = (key: string, nowMs: number): Entry | undefined => {
    const entry = entries.get(fold(key));
    if (entry === undefined || entry.state === "released" || nowMs < entry.untilMs) return entry;
    const isForeign = entry.connection !== connection;
    if (isForeign && fault === "times leases for the connection that has them only") return entry;
    if (entry.state === "in_progress" && fault !== "takes a started key over when its lease runs out") {
      entry.state = "unknown";
      entry.untilMs = fault === "frees a key in doubt after its lease" ? nowMs + 1 : Number.POSITIVE_INFINITY;
      return entry;
    }
    entries.delete(fold(key));
    return undefined;
  };

  const write = async (key: string, token: string | number, apply: (entry: Entry) => boolean): Promise<boolean> => {
    const entry = current(key, clock.now());
    if (entry === undefined && fault === "writes to keys that nobody has claimed") {
      entries.set(fold(key), {
        state: "in_progress",
        fingerprint: "",
        token: 0,
        untilMs: Number.POSITIVE_INFINITY,
        connection,
      });
      return true;
    }
    const isTrusting = fault === "checks only the tokens that its connection gave" && entry?.connection !== connection;
    const isOwner = entry?.token === token || isTrusting || fault === "does not check tokens";
    if (entry === undefined || entry.state === "released" || !isOwner) return false;
    if (entry.state === "completed" && fault !== "lets a completed key be released") return false;
    if (entry.state === "unknown" && fault === "lets late answers change nothing") return false;
    return apply(entry);
  };

  const claim = (
    key: string,
    request: Parameters<IdempotencyStore["claim"]>[1],
    entry: Entry | undefined,
  ): ClaimVerdict => {
    const { fingerprint, leaseMs, takeOver } = request;
    const isFree = entry === undefined || (entry.state === "released" && fault !== "releases only once");
    if (!isFree) {
      if (entry.fingerprint !== fingerprint && fault !== "ignores the payload") return { state: "conflict" };
      if (entry.state === "completed") return { state: "completed", ...entry.record };
      const mayTakeOver = takeOver === true && fault !== "takes nothing over";
      if (entry.state === "unknown" && !mayTakeOver) return { state: "unknown" };
      const isGreedy = takeOver === true && fault === "takes over whatever it is asked to";
      const isOpen = entry.state === "unknown" || fault === "lets everybody claim";
      if (!isOpen && !isGreedy) return { state: "in_progress" };
    }
    const nowMs = fault === "goes by the callers' clocks" ? request.nowMs : clock.now();
    const token = fault === "gives every claim the same token" ? 1 : ++shared.tokens;
    const untilMs = nowMs + (fault === "lets leases run out early" ? leaseMs / 2 : leaseMs);
    const state = isFree || fault === "forgets the doubt of what it takes over" ? "claimed" : "in_progress";
    entries.set(fold(key), { state, fingerprint, token, untilMs, connection });
    return { state: "claimed", token: fault === "gives no token" ? (undefined as never) : token };
  };

  return {
    claim: async (key, request) => {
      const nowMs = fault === "goes by the callers' clocks" ? request.nowMs : clock.now();
      const entry = current(key, nowMs);
      if (fault === "looks and claims in two steps") await Promise.resolve();
      return claim(key, request, entry);
    },
    start: async (key, token) => {
      const found = entries.get(fold(key));
      if (fault === "looks and starts in two steps" && found?.token === token) {
        await Promise.resolve();
        return true;
      }
      return write(key, token, (entry) => {
        if (entry.state === "unknown" && fault !== "starts what is in doubt") return false;
        entry.state = "in_progress";
        return true;
      });
    },
    renew: (key, token, leaseMs) =>
      write(key, token, (entry) => {
        if (fault === "renews nothing") return true;
        if (entry.state === "unknown" && fault === "brings a key in doubt back when it is renewed too late")
          entry.state = "in_progress";
        if (entry.state === "unknown" && fault !== "says that it renewed what is in doubt") return false;
        if (entry.state !== "unknown") entry.untilMs = clock.now() + leaseMs;
        return true;
      }),
    complete: async (key, token, record) => {
      const found = entries.get(fold(key));
      if (fault === "looks and completes in two steps" && found?.token === token && found.state !== "completed") {
        await Promise.resolve();
        found.state = "completed";
        found.record = record;
        found.untilMs = clock.now() + record.ttlMs;
        entries.set(fold(key), found);
        return true;
      }
      return write(key, token, (entry) => {
        const { value, valueOmitted: _, ...rest } = record;
        if (value === null && fault === "forgets null values") entry.record = rest;
        else if (value === undefined && fault === "forgets that a value was left out") entry.record = rest;
        else entry.record = structuredClone(record);
        entry.state = "completed";
        if (fault === "keeps records for ever") entry.untilMs = Number.POSITIVE_INFINITY;
        else if (fault !== "expires records with the lease") entry.untilMs = clock.now() + record.ttlMs;
        return true;
      });
    },
    release: (key, token) =>
      write(key, token, (entry) => {
        entry.state = "released";
        return true;
      }),
    markUnknown: (key, token) =>
      write(key, token, (entry) => {
        entry.state = "unknown";
        entry.untilMs = fault === "frees a key in doubt after its lease" ? entry.untilMs : Number.POSITIVE_INFINITY;
        return true;
      }),
    list: async ({ state } = {}) => {
      const shown = [...entries].filter(
        ([, entry]) =>
          (entry.state !== "released" || fault === "lists released keys") &&
          (state === undefined || entry.state === state),
      );
      return shown.map(([key, entry]) => ({
        key,
        state: entry.state as IdempotencyState,
        fingerprint: entry.fingerprint,
        updatedAtMs: clock.now(),
      }));
    },
    resolve: async (key, outcome) => {
      const isOutcome = outcome === "applied" || outcome === "not_applied";
      if (!isOutcome && fault !== "takes any word for an outcome") return false;
      const entry = current(key, clock.now());
      if (entry === undefined || (entry.state !== "unknown" && fault !== "resolves what is not in doubt")) return false;
      if (outcome === "not_applied" && fault !== "frees nothing that is resolved") entries.delete(fold(key));
      else {
        entry.state = "completed";
        const value = fault === "makes a value up for what is resolved" ? { value: null } : undefined;
        entry.record = { ttlMs: Number.POSITIVE_INFINITY, ...value };
        entry.untilMs = Number.POSITIVE_INFINITY;
      }
      return true;
    },
  };
}
