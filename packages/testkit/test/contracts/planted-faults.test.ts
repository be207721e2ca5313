import {
  createManualKillSwitch,
  type ExecutionEvent,
  type KillSwitch,
  type RateLimiter,
  type RateRequest,
} from "@eoc/core";
import {
  type ContractBench,
  type ContractCase,
  executorContract,
  idempotencyStoreContract,
  type JournalUnderTest,
  journalContract,
  type KillSwitchUnderTest,
  killSwitchContract,
  rateLimiterContract,
} from "@eoc/testkit";
import { describe, expect, it } from "vitest";
import { openPlantedStore, type StoreFault } from "./planted-store.js";
import { type ExecutorFault, openService } from "./service.js";

/** Names of the cases that fail. */
async function failing(contract: readonly ContractCase[]): Promise<string[]> {
  const names: string[] = [];
  for (const { name, run } of contract) {
    await run().catch(() => names.push(name));
  }
  return names;
}

/** Each fault, and the case that has to catch it. The unplanted copy passes every case. */
function catches<Fault extends string>(
  contractWith: (fault?: Fault) => readonly ContractCase[],
  caughtBy: Readonly<Record<Fault, string>>,
): void {
  it("passes a copy with nothing wrong", async () => {
    expect(await failing(contractWith())).toEqual([]);
  });
  const broken = new Set<string>();
  for (const [fault, name] of Object.entries<string>(caughtBy) as [Fault, string][]) {
    it(`catches one that ${fault}: ${name}`, async () => {
      const names = await failing(contractWith(fault));
      for (const each of names) broken.add(each);
      expect(names).toContain(name);
    });
  }
  it("has no case that none of these faults breaks", () => {
    expect(
      contractWith()
        .map(({ name }) => name)
        .filter((name) => !broken.has(name)),
    ).toEqual([]);
  });
}

describe("the contract of a store", () => {
  const contractWith = (fault?: StoreFault) =>
    idempotencyStoreContract(({ clock }: ContractBench) => {
      const store = openPlantedStore(clock, fault);
      return { store, another: () => store };
    });
  catches<StoreFault>(contractWith, {
    "looks and claims in two steps": "S7.2 of many claims at the same time, exactly one is claimed",
    "ignores the payload": "S7.2 the same key with another payload is a conflict, whatever has become of it",
    "takes a started key over when its lease runs out":
      "S7.2 a lease that ran out after the dispatch leaves the key in doubt",
    "frees a key in doubt after its lease": "S7.4 a key in doubt stays in doubt, however long",
    "does not check tokens": "S7.3 a writer whose token is stale is refused, and changes nothing",
    "gives every claim the same token": "S7.3 every claim of a key has another token, and numbers grow",
    "renews nothing": "S7.3 a renewed lease holds from its renewal on",
    "forgets null values": "S7.2 a completed key is answered with the value that was stored, any JSON value",
    "folds keys to lower case": "S7.1 keys that look alike have nothing to do with one another",
    "goes by the callers' clocks": "S7.2 leases go by the store's own clock, whatever time the callers think it is",
    "expires records with the lease": "S7.2 a completed record outlives its lease, up to its time to live",
    "keeps records for ever": "S7.2 a completed record is forgotten after its time to live, and the key is free",
    "lets late answers change nothing": "S4.5 its owner may still say what became of a key in doubt",
    "lets a completed key be released": "S7.2 nothing changes a completed key any more, its owner's writes included",
    "takes over whatever it is asked to": "S7.2 nothing but a key in doubt is taken over",
    "takes nothing over": "S7.2 a key in doubt is taken over when the claim says so, by one, with the next token",
    "releases only once": "S7.4 a released key is free for anybody, another payload included",
    "lists released keys": "S7.4 list shows every key that is not free, by state where asked to",
    "resolves what is not in doubt": "S7.4 resolve leaves every key alone that is not in doubt",
    "brings a key in doubt back when it is renewed too late":
      "S7.3 a renewal that comes too late does not bring a key in doubt back",
    "gives no token": "S7.2 a free key is claimed, with a token",
    "lets everybody claim": "S7.2 a key that is claimed, or has been dispatched, is in progress for everybody else",
    "forgets that a value was left out":
      "S7.5 a completed key without a value has none, and says whether one was left out",
    "writes to keys that nobody has claimed":
      "S7.3 a write to a key that nobody has claimed is refused, and makes no record",
    "lets leases run out early": "S7.2 a lease holds until it runs out",
    "frees nothing that is resolved": "S7.4 resolve frees a key in doubt that was not applied",
    "makes a value up for what is resolved": "S7.4 resolve completes a key in doubt that was applied, without a value",
  });
});

describe("the contract of an executor", () => {
  const contractWith = (fault?: ExecutorFault) => {
    // A service that honours keys makes retries harmless.
    const dedupes = fault !== "retries on its own";
    return executorContract(({ clock }) => openService({ clock, fault, dedupes }), { dedupes });
  };
  catches<ExecutorFault>(contractWith, {
    "says ok: false when the reply was lost": "S3.1 what was applied without an answer is never `ok: false`",
    "says ok: false when it was aborted":
      "S4.2 what is aborted in flight is never `ok: false` and applied all the same",
    "sends what was aborted in advance, and says ok: false":
      "S4.2 what is aborted before it begins is never `ok: false` and applied all the same",
    "says ok: true when nobody was there": "S3.1 what never arrived is never `ok: true`",
    "retries on its own":
      "S3.4 one dispatch applies its effect once at most, whatever goes wrong: retries are not the executor's",
    "ignores the signal": "S4.2 an aborted dispatch settles within the grace",
    "aborts everybody with one signal": "S4.6 dispatches at the same time do not disturb one another, aborted or not",
    "gives a sentence as its code":
      "S3.1 what is refused is `ok: false` (or a NotAppliedError) with a code, and did not happen",
    "resolves to something else": "S3.1 what is applied and answered is `ok: true`, and happened once",
    "makes a key of its own for every dispatch":
      "S3.2 a second dispatch under the same key changes nothing, and says what became of the first",
    "says not_applied of what is on its way": "S3.3 reconcile never says `not_applied` of what is still on its way",
    "says not_applied when it could not ask": "S3.3 reconcile that reaches nobody knows nothing",
    "says applied without asking": "S3.3 reconcile never finds what was not applied",
  });
});

type LimiterFault =
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
  | "cuts windows off at 2^31";

/** An exact limiter with at most one thing wrong with it. */
function plantedLimiter(fault?: LimiterFault): RateLimiter {
  interface Permit {
    key: string;
    atMs: number;
    isOpen: boolean;
  }
  let permits: Permit[] = [];
  const windowOf = ({ windowMs }: RateRequest) =>
    fault === "cuts windows off at 2^31" ? Math.min(windowMs, 2 ** 31 - 1) : windowMs;
  const counts = (permit: Permit, request: RateRequest, nowMs: number) => {
    const windowMs = windowOf(request) - (fault === "lets the window's last millisecond go" ? 1 : 0);
    if (permit.isOpen && fault !== "lets open permits lapse") return true;
    if (fault === "counts in fixed windows") return Math.trunc(permit.atMs / windowMs) === Math.trunc(nowMs / windowMs);
    return permit.atMs + windowMs > nowMs;
  };
  return {
    acquire: async (requests, nowMs) => {
      const keyOf = ({ key }: RateRequest) => (fault === "counts all keys together" ? "all" : key);
      const taken: Permit[] = [];
      let retryAfterMs = 0;
      for (const request of requests) {
        const counted = permits.filter((permit) => permit.key === keyOf(request) && counts(permit, request, nowMs));
        if (counted.length >= request.limit)
          retryAfterMs = Math.max(
            retryAfterMs,
            Math.min(...counted.map(({ atMs }) => atMs)) + windowOf(request) - nowMs,
            1,
          );
        else
          taken.push({ key: keyOf(request), atMs: nowMs, isOpen: fault !== "burns the permits of a refused request" });
      }
      if (retryAfterMs > 0) {
        if (fault === "burns the permits of a refused request") permits.push(...taken);
        if (fault === "counts refused requests")
          permits.push(...requests.map((request) => ({ key: keyOf(request), atMs: nowMs, isOpen: false })));
        if (fault === "says 0 for when to ask again") return { granted: false, retryAfterMs: 0 };
        return {
          granted: false,
          retryAfterMs: fault === "asks to wait far too long" ? retryAfterMs * 60 : retryAfterMs,
        };
      }
      for (const permit of taken) permit.isOpen = true;
      permits.push(...taken);
      return {
        granted: true,
        dispatched: (startMs) => {
          for (const permit of taken) {
            const isFirst = permit.isOpen || fault === "stamps a permit as often as it is told";
            if (isFirst && fault !== "counts from the grant") permit.atMs = startMs;
            permit.isOpen = false;
          }
        },
        cancel: () => {
          if (fault === "hands nothing back") return;
          permits = permits.filter(
            (permit) => !taken.includes(permit) || (!permit.isOpen && fault !== "hands back what was dispatched"),
          );
        },
      };
    },
  };
}

describe("the contract of a limiter", () => {
  const contractWith = (fault?: LimiterFault) =>
    rateLimiterContract(() => {
      const rateLimiter = plantedLimiter(fault);
      return { rateLimiter, another: () => rateLimiter };
    });
  catches<LimiterFault>(contractWith, {
    "counts in fixed windows":
      "S6.1 windows slide: a burst at the end of one and another at the beginning of the next are one burst",
    "burns the permits of a refused request": "S6.2 limits are taken all together or not at all",
    "counts refused requests": "S6.2 a refused request consumes nothing, however often it is made",
    "counts from the grant": "S6.1 a permit counts from its stamp, not from its grant",
    "lets open permits lapse": "S6.1 a permit that is neither stamped nor handed back stays occupied",
    "stamps a permit as often as it is told": "S6.1 a permit is stamped once",
    "hands nothing back": "S6.3 a permit that is handed back is free again, for all its keys",
    "hands back what was dispatched": "S6.3 a permit is handed back once, and not after its dispatch",
    "says 0 for when to ask again": "S6.1 grants as many as the limit says, and then refuses",
    "asks to wait far too long":
      "S6.1 asking again when a refusal says so is worth it, and that is no longer than a window",
    "counts all keys together": "S6.2 keys have nothing to do with one another",
    "lets the window's last millisecond go":
      "S6.1 windows are half-open: a start exactly one window later is fine, a moment earlier is not",
    "cuts windows off at 2^31": "S4.7 windows above 2^31−1 ms hold",
  });
});

type SwitchFault =
  | "says that all is well when it cannot know"
  | "answers something like true"
  | "forgets a halt"
  | "lets readers change its state"
  | "lets one listener's failure deafen the others"
  | "tells those who left"
  | "tells nobody"
  | "cannot be thrown twice"
  | "loses the reason"
  | "is one for all";

let one: ReturnType<typeof createManualKillSwitch> | undefined;

function plantedSwitch(clock: ContractBench["clock"], fault?: SwitchFault): KillSwitchUnderTest {
  if (fault === "is one for all") one ??= createManualKillSwitch();
  const inner = fault === "is one for all" ? one! : createManualKillSwitch();
  const listeners: ((state: { halted: boolean }) => void)[] = [];
  let isDark = false;
  let haltedAtMs = Number.NaN;
  let halts = 0;
  const state: { halted: boolean; reason?: string } = { halted: false };
  const killSwitch: KillSwitch = {
    read: async () => {
      if (isDark) {
        if (fault === "says that all is well when it cannot know") return { halted: false };
        throw new Error("out of reach");
      }
      const { halted } = inner.read();
      if (fault === "lets readers change its state") return state;
      if (fault === "answers something like true") return { halted: (halted ? "yes" : "") as never };
      if (fault === "forgets a halt" && clock.monotonic() - haltedAtMs > 1000) return { halted: false };
      return fault === "loses the reason" ? { halted } : { ...inner.read() };
    },
    subscribe: (listener) => {
      if (fault === "tells nobody") return () => {};
      if (fault === "lets one listener's failure deafen the others") {
        listeners.push(listener);
        return () => void listeners.splice(listeners.indexOf(listener), 1);
      }
      const unsubscribe = inner.subscribe(listener);
      return fault === "tells those who left" ? () => {} : unsubscribe;
    },
  };
  return {
    killSwitch,
    halt: (reason) => {
      haltedAtMs = clock.monotonic();
      if (fault === "cannot be thrown twice" && halts++ > 0) return;
      inner.halt(reason);
      Object.assign(state, { halted: true, reason });
      try {
        for (const listener of listeners) listener({ halted: true });
      } catch {
        // The others are not told.
      }
    },
    clear: () => {
      inner.clear();
      Object.assign(state, { halted: false });
      for (const listener of listeners) listener({ halted: false });
    },
    goDark: () => {
      isDark = true;
    },
  };
}

describe("the contract of a switch", () => {
  const contractWith = (fault?: SwitchFault) => killSwitchContract(({ clock }) => plantedSwitch(clock, fault));
  catches<SwitchFault>(contractWith, {
    "says that all is well when it cannot know":
      "S2.3 a switch that cannot reach its state never says that all is well",
    "answers something like true": "S2.2 every read after a halt says halted",
    "forgets a halt": "S2.2 every read after a halt says halted",
    "lets readers change its state": "S2.2 what a reader does to the answer changes nothing",
    "lets one listener's failure deafen the others":
      "S2.4 a listener that throws keeps nobody else from hearing of a halt",
    "tells those who left": "S2.4 a listener that unsubscribed hears nothing more, and may unsubscribe twice",
    "tells nobody": "S2.4 a listener hears of a halt",
    "cannot be thrown twice": "S2.2 a switch that was flipped back says so, and can be thrown again",
    "loses the reason": "S2.2 the reason of a halt is kept",
    "is one for all": "S2.2 a switch that is opened anew has nothing to do with this one",
  });
});

type JournalFault =
  | "swallows what it cannot write"
  | "says done before it is durable"
  | "reorders what is not awaited"
  | "drops events that are alike"
  | "writes a line a name"
  | "rounds times"
  | "writes into one file for all"
  | "begins with a record of its own";

const shared: string[] = [];

/** A journal in lines, as files are. */
function plantedJournal(fault?: JournalFault, disk: string[] = []): JournalUnderTest {
  const lines = fault === "writes into one file for all" ? shared : disk;
  const buffer: string[] = [];
  let isFull = false;
  let appends = 0;
  const write = (line: string) => {
    if (fault === "drops events that are alike" && lines.includes(line)) return;
    lines.push(line);
  };
  const lineOf = (event: ExecutionEvent) => {
    if (fault === "rounds times") return JSON.stringify({ ...event, atMs: Math.trunc(event.atMs / 1000) * 1000 });
    if (fault === "drops events that are alike") return JSON.stringify({ ...event, seq: 0, atMs: 0 });
    return JSON.stringify(event);
  };
  return {
    journal: {
      append: async (event) => {
        if (isFull) {
          if (fault === "swallows what it cannot write") return;
          throw new Error("disk full");
        }
        if (fault === "reorders what is not awaited" && appends++ % 3 === 0) await Promise.resolve();
        if (fault === "says done before it is durable") buffer.push(lineOf(event));
        else write(lineOf(event));
      },
    },
    read: () => {
      const own = fault === "begins with a record of its own" ? ['{"type":"opened"}'] : [];
      const text = [...own, ...lines, ...buffer]
        .map((line) => (fault === "writes a line a name" ? line.replaceAll("\\n", "\n") : line))
        .join("\n");
      return text === "" ? [] : text.split("\n").map((line) => JSON.parse(line) as ExecutionEvent);
    },
    crash: () => plantedJournal(fault, lines),
    goDark: () => {
      isFull = true;
    },
  };
}

describe("the contract of a journal", () => {
  const contractWith = (fault?: JournalFault) => journalContract(() => plantedJournal(fault));
  catches<JournalFault>(contractWith, {
    "swallows what it cannot write": "S8.2 an append that cannot be written fails, or never ends; it does not succeed",
    "says done before it is durable": "S8.2 what has been appended survives a crash, event by event",
    "reorders what is not awaited": "S8.2 what is appended without waiting keeps its order, for every execution",
    "drops events that are alike": "S8.2 every event is read back as it was appended, in order",
    "writes a line a name": "S8.2 names that people give are kept to the letter",
    "rounds times": "S8.2 every event is read back as it was appended, in order",
    "begins with a record of its own": "S8.2 a new journal is empty",
    "writes into one file for all": "S8.2 a journal that is opened anew has nothing to do with this one",
  });
});
