import { renameSync } from "node:fs";
import type { ExecutionEvent } from "@eoc/core";
import {
  type ContractBench,
  idempotencyStoreContract,
  type JournalUnderTest,
  journalContract,
  killSwitchContract,
  rateLimiterContract,
} from "@eoc/testkit";
import { createJsonlJournal, type JournalRecord } from "@eoc/trace";
import { describe, it } from "vitest";
import type { LocalRuntime } from "../src/index.js";
import { aFile, handTime, held, heldBy, opened } from "./support.js";

describe("the file keeps the contract of an idempotency store", () => {
  const open = async ({ clock }: ContractBench) => {
    const [file, hand] = [aFile(), handTime()];
    const store = async () =>
      heldBy(clock, (await held(clock, "open", opened(file, {}, { time: hand.time }))).idempotencyStore);
    return { store: await store(), another: store, advance: hand.advance, stepWall: hand.stepWall };
  };
  for (const { name, run } of idempotencyStoreContract(open)) it(name, run);
});

describe("the file keeps the contract of a rate limiter", () => {
  const open = async ({ clock }: ContractBench) => {
    const [file, hand] = [aFile(), handTime()];
    const runtimes: LocalRuntime[] = [];
    const rateLimiter = async () => {
      const runtime = await held(clock, "open", opened(file, {}, { time: hand.time }));
      runtimes.push(runtime);
      return heldBy(clock, runtime.rateLimiter);
    };
    const advance = async (ms: number) => {
      // A stamp is written within moments, or with the next write: no moments pass while this clock stands still.
      const writes = runtimes.map(({ idempotencyStore }) => idempotencyStore.release("nobody's", 0));
      await held(clock, "stamps", Promise.all(writes));
      hand.advance(ms);
    };
    return { rateLimiter: await rateLimiter(), another: rateLimiter, advance };
  };
  for (const { name, run } of rateLimiterContract(open)) it(name, run);
});

describe("the file keeps the contract of a kill switch", () => {
  const open = async ({ clock }: ContractBench) => {
    const file = aFile();
    const killSwitch = heldBy(clock, (await held(clock, "open", opened(file))).killSwitch);
    return {
      killSwitch,
      halt: (reason: string) => killSwitch.halt(reason),
      clear: () => killSwitch.clear(),
      goDark: () => renameSync(file, `${file}.gone`),
    };
  };
  for (const { name, run } of killSwitchContract(open)) it(name, run);
});

describe("the file keeps the contract of a journal", () => {
  const openAt = async (file: string, { clock }: ContractBench): Promise<JournalUnderTest> => {
    const runtime = await held(clock, "open", opened(file, { journal: createJsonlJournal }));
    const read = async () => {
      const events: ExecutionEvent[] = [];
      for await (const line of runtime.journalLines()) {
        const { event } = JSON.parse(line) as JournalRecord;
        if (!event.type.startsWith("journal.")) events.push(event as ExecutionEvent);
      }
      return events;
    };
    return {
      journal: heldBy(clock, runtime.journal!),
      read: () => held(clock, "read", read()),
      // Everything that was acknowledged is on the disk; what a kill leaves behind is shown with real processes.
      crash: async () => {
        await held(clock, "close", runtime.close());
        return openAt(file, { clock });
      },
      goDark: () => renameSync(file, `${file}.gone`),
    };
  };
  for (const { name, run } of journalContract((bench) => openAt(aFile(), bench), { keepsOrder: true })) it(name, run);
});
