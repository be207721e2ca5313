import { readdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { ClaimVerdict } from "@eoc/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundleChild, Child, killChildren } from "./process/children.js";
import type { RacerOrder } from "./process/racer.js";
import { aFile } from "./support.js";

/** `scripts/race.ts` asks for 20 processes with 10 connections each. */
const PROCESSES = Number(process.env["EOC_RACE_PROCESSES"] ?? 4);
const CONNECTIONS = Number(process.env["EOC_RACE_CONNECTIONS"] ?? 5);
const ROUNDS = 5;
/** Longer than one race takes: within it, a second winner would be a fault. */
const LEASE_MS = 250 * PROCESSES * CONNECTIONS;

let script: string;
let racers: Child[] = [];

beforeAll(async () => {
  script = await bundleChild("racer");
}, 60_000);

afterAll(killChildren);

async function all<T>(order: RacerOrder): Promise<T[]> {
  const answers = await Promise.all(racers.map((racer) => racer.ask<T[]>(order)));
  return answers.flat();
}

describe(`Show 1: ${PROCESSES * CONNECTIONS} connections in ${PROCESSES} processes race for one key`, () => {
  it("S7.2 one wins every time, and S7.3 every write of those who won before is refused", {
    timeout: 600_000,
  }, async () => {
    const file = aFile();
    racers = Array.from({ length: PROCESSES }, () => new Child(script, [file, String(CONNECTIONS)]));
    for (const ready of await Promise.all(racers.map((racer) => racer.hear()))) expect(ready).toBe("ready");

    const tokens: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      // The first claim runs out before any dispatch, and is taken over; the others are given back, but the last.
      const order: RacerOrder = { do: "claim", key: "one", leaseMs: round === 0 ? LEASE_MS : 600_000 };
      let verdicts = await all<ClaimVerdict>(order);
      while (verdicts.every(({ state }) => state === "in_progress")) verdicts = await all<ClaimVerdict>(order);
      expect(verdicts).toHaveLength(PROCESSES * CONNECTIONS);
      const winners = verdicts.filter((verdict) => verdict.state === "claimed");
      expect(winners).toHaveLength(1);
      expect(verdicts.filter(({ state }) => state === "in_progress")).toHaveLength(verdicts.length - 1);
      tokens.push(Number(winners[0]!.token));
      const written = await all<boolean>({ do: "write", key: "one", tokens: tokens.slice(0, -1) });
      expect(written).toHaveLength(PROCESSES * CONNECTIONS * round * 5);
      expect(written.filter((isDone) => isDone !== false)).toEqual([]);
      const isOver = round === 0 || round === ROUNDS - 1;
      if (!isOver) expect(await racers[0]!.ask({ do: "release", key: "one", token: tokens.at(-1)! })).toBe(true);
    }

    expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => a - b));
    expect(await racers[0]!.ask({ do: "complete", key: "one", token: tokens.at(-1)! })).toBe(true);
    const verdicts = await all<ClaimVerdict>({ do: "claim", key: "one", leaseMs: 1 });
    expect(new Set(verdicts.map((verdict) => JSON.stringify(verdict)))).toEqual(
      new Set(['{"state":"completed","value":"owner"}']),
    );

    for (const answer of await all({ do: "close" })) expect(answer).toBe("closed");
    // Nothing keeps a process alive that has closed its stores, and nothing of them is left beside the file.
    await Promise.all(racers.map((racer) => racer.ended()));
    // Of several that close at once, each may take another for the last: then SQLite's own log stays until somebody closes alone.
    const alone = new DatabaseSync(file);
    expect(alone.prepare("SELECT count(*) AS tables FROM sqlite_schema").get()).not.toEqual({ tables: 0 });
    alone.close();
    expect(readdirSync(dirname(file))).toEqual(["eoc.db"]);
  });
});
