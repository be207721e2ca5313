import {
  type ContractBench,
  type ContractCase,
  type ContractTiming,
  createVirtualClock,
  type ExecutorCapabilities,
  executorContract,
  idempotencyStoreContract,
  type JournalCapabilities,
  journalContract,
  type KillSwitchCapabilities,
  killSwitchContract,
  type RateLimiterCapabilities,
  rateLimiterContract,
  type StoreCapabilities,
} from "@eoc/testkit";
import { describe, expect, it } from "vitest";
import { type JournalFault, plantedJournal } from "./planted-journal.js";
import { type LimiterFault, plantedLimiter } from "./planted-limiter.js";
import { plantedStore, type StoreFault } from "./planted-store.js";
import { plantedSwitch, type SwitchFault } from "./planted-switch.js";
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
      const connect = plantedStore(clock, fault);
      return { store: connect(), another: connect };
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
    "goes by the wall clock": "S4.7 a step of the wall clock ends no lease and no record, and prolongs none",
    "expires records with the lease": "S7.2 a completed record outlives its lease, up to its time to live",
    "keeps records for ever": "S7.2 a completed record is forgotten after its time to live, and the key is free",
    "lets late answers change nothing": "S4.5 its owner may still say what became of a key in doubt",
    "lets a completed key be released": "S7.2 nothing changes a completed key any more, its owner's writes included",
    "takes over whatever it is asked to": "S7.2 nothing but a key in doubt is taken over",
    "takes nothing over": "S7.2 a key in doubt is taken over when the claim says so, by one, with the next token",
    "forgets the doubt of what it takes over":
      "S7.2 what was taken over is in doubt again when its lease runs out, started or not",
    "releases only once": "S7.4 a released key is free for anybody, another payload included",
    "lists released keys": "S7.4 list shows every key that is not free, by state where asked to",
    "takes any word for an outcome": "S7.4 resolve frees no key for a word that is neither outcome",
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
    "gives every connection keys of its own":
      "S7.2 two connections to one store share its keys, and of two claims one is claimed",
    "checks only the tokens that its connection gave":
      "S7.3 a token that is stale is refused through every connection, and those of all connections grow",
    "looks and completes in two steps":
      "S7.3 a late answer and connections that take the key over: one of them has it, not two",
    "looks and starts in two steps":
      "S7.2 a late start and a connection that takes the key over: one of them has it, not two",
    "says that it renewed what is in doubt":
      "S7.3 a renewal of what has no lease any more is refused: whoever hears that it was renewed dispatches",
    "starts what is in doubt":
      "S7.3 no dispatch is started under a lease that has run out, whatever it had started before",
    "times leases for the connection that has them only":
      "S7.2 a lease that was given through one connection runs out for all of them",
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

/** What an implementation that has a capability must be caught at when it declares that it lacks it, by the fallback's case. */
function fallbacksCatch<Capability extends string>(
  contractWith: (lacks?: Capability) => readonly ContractCase[],
  capabilities: readonly Capability[],
): void {
  for (const capability of capabilities) {
    it(`catches one that denies its \`${capability}\``, async () => {
      const usual = new Set(contractWith().map(({ name }) => name));
      const fallback = contractWith(capability).filter(({ name }) => !usual.has(name));
      expect(fallback.length).toBeGreaterThan(0);
      expect(await failing(fallback)).toEqual(fallback.map(({ name }) => name));
    });
  }
}

describe("what takes the place of a case that is left out", () => {
  type Deniable<Capabilities> = Exclude<keyof Capabilities & string, keyof ContractTiming | "permitLeaseMs">;
  const lacking = <Capability extends string>(lacks: Capability | undefined) =>
    (lacks === undefined ? {} : { [lacks]: false }) as { [Name in Capability]?: boolean };

  // One for all that are opened, which is what `shared: false` denies.
  const store = plantedStore({ ...createVirtualClock() });
  fallbacksCatch<Deniable<StoreCapabilities>>(
    (lacks) =>
      idempotencyStoreContract(({ clock }) => {
        const connect = lacks === "shared" ? store : plantedStore(clock);
        return { store: connect(), another: connect };
      }, lacking(lacks)),
    ["start", "takeOver", "expiry", "ownClock", "list", "resolve", "shared"],
  );

  const limiter = plantedLimiter({ ...createVirtualClock() });
  fallbacksCatch<Deniable<RateLimiterCapabilities>>(
    (lacks) =>
      rateLimiterContract(
        ({ clock }) => {
          const connect = lacks === "shared" ? limiter : plantedLimiter(clock);
          return { rateLimiter: connect(), another: connect };
        },
        { ...lacking(lacks), ...(lacks === "shared" ? { ownClock: true } : {}) },
      ),
    ["stamps", "cancel", "ownClock", "shared"],
  );

  fallbacksCatch<Deniable<KillSwitchCapabilities>>(
    (lacks) => killSwitchContract(({ clock }) => plantedSwitch(clock), lacking(lacks)),
    ["subscribe", "clear", "reason", "outage"],
  );

  fallbacksCatch<Deniable<JournalCapabilities>>(
    (lacks) => journalContract(() => plantedJournal(), { keepsOrder: true, ...lacking(lacks) }),
    ["durable", "outage", "keepsOrder"],
  );

  fallbacksCatch<Deniable<ExecutorCapabilities>>(
    (lacks) => executorContract(({ clock }) => openService({ clock }), lacking(lacks)),
    ["abort", "dedupes", "reconcile"],
  );
});

type LeaseFault = "frees a permit when its lease runs out" | "keeps a permit for ever, whatever its lease";

describe("the contract of a limiter whose open permits run out", () => {
  const name = "S6.1 a permit that is neither stamped nor handed back is taken for dispatched when its lease runs out";
  const contractWith = (fault?: LeaseFault) =>
    rateLimiterContract(
      ({ clock }) => {
        const connect = plantedLimiter(clock, fault, 5000);
        return { rateLimiter: connect(), another: connect };
      },
      { permitLeaseMs: 5000 },
    ).filter((each) => fault === undefined || each.name === name);

  it("passes one that takes them for dispatched", async () => {
    expect(await failing(contractWith())).toEqual([]);
  });
  for (const fault of [
    "frees a permit when its lease runs out",
    "keeps a permit for ever, whatever its lease",
  ] as const)
    it(`catches one that ${fault}: ${name}`, async () => {
      expect(await failing(contractWith(fault))).toEqual([name]);
    });
});

describe("the contract of a limiter", () => {
  const contractWith = (fault?: LimiterFault) =>
    rateLimiterContract(({ clock }) => {
      const connect = plantedLimiter(clock, fault);
      return { rateLimiter: connect(), another: connect };
    });
  catches<Exclude<LimiterFault, LeaseFault>>(contractWith, {
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
    "goes by its callers' clocks":
      "S6.4 windows go by the limiter's own clock: those of its callers have nothing in common",
    "forgets a start with its own window":
      "S6.1 every start counts in every window that a key has been asked for with, however short its own",
    "forgets a start with the longest window that was granted":
      "S6.1 a start counts in a long window also where nothing has been granted under that",
    "gives every connection a limit of its own": "S6.4 two connections to one limiter share its counts",
    "ends windows early for other connections":
      "S6.4 a window that began through one connection is over for the other at the same time",
  });
});

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
    "forgets in the dark that it was thrown":
      "S2.3 a switch that was thrown before it went out of reach never says that all is well",
    "tells its listeners in the dark that all is well":
      "S2.3 a switch that cannot reach its state never says that all is well",
  });
});

describe("the contract of a journal", () => {
  const contractWith = (fault?: JournalFault) => journalContract(() => plantedJournal(fault), { keepsOrder: true });
  catches<JournalFault>(contractWith, {
    "swallows what it cannot write": "S8.2 an append that cannot be written fails, or never ends; it does not succeed",
    "says done before it is durable": "S8.2 what has been appended survives a crash, event by event",
    "reorders what is not awaited": "S8.2 what is appended without waiting keeps its order, for every execution",
    "drops events that are alike": "S8.2 every event is read back as it was appended, in order",
    "writes a line a name": "S8.2 names that people give are kept to the letter",
    "rounds times": "S8.2 every event is read back as it was appended, in order",
    "begins with a record of its own": "S8.2 a new journal is empty",
    "writes into one file for all": "S8.2 a journal that is opened anew has nothing to do with this one",
    "answers every third append late": "S8.2 appends that are under way are answered in the order of the calls",
    "says nothing of keeping the order": "S8.2 appends that are under way are answered in the order of the calls",
    "makes only intents durable": "S8.2 what is answered survives a crash, and so does all that was appended before it",
    "fails once and goes on": "S8.2 of the appends that are under way none succeeds after one that does not",
  });
});
