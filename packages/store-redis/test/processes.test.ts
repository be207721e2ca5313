import { createSystemClock } from "@eoc/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runHaltTrial } from "../../../tools/store-trials/halt-trial.js";
import { runKeysTrial } from "../../../tools/store-trials/keys-trial.js";
import { runLimitTrial } from "../../../tools/store-trials/limit-trial.js";
import { findRedis, type RedisServer, startRedis } from "./redis-server.js";
import { freshPrefix, noServer } from "./support.js";
import { open } from "./trial-ports.js";

const module = new URL("trial-ports.ts", import.meta.url).href;
const LIMIT = { limit: 5, windowMs: 300 };

describe.skipIf(noServer)("with processes, and a server, that are killed", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis(findRedis()!);
  }, 60_000);
  afterAll(() => server.remove());

  const restart = async () => {
    await server.kill();
    await server.start();
  };

  it.each([
    ["process", 4],
    ["server", 3],
  ] as const)(
    "S7.3 kill -9 of the %s at random moments: no action is begun twice, no acknowledged completion lost, every key in doubt listed",
    { timeout: 120_000 },
    async (what, kills) => {
      const place = freshPrefix();
      const ports = await open(server.url, place, createSystemClock());
      const { begun, acknowledged, begunTwice, lost, unlisted } = await runKeysTrial({
        job: { module, url: server.url, place },
        kills,
        ...(what === "server" ? { killServer: restart } : undefined),
        random: (kill) => (kill * 0.618) % 1,
        everyMs: 150,
        keysPerLife: 500,
        ports,
      });
      await ports.close();
      expect({ begunTwice, lost, unlisted }).toEqual({ begunTwice: [], lost: [], unlisted: [] });
      expect(Math.min(begun, acknowledged)).toBeGreaterThan(0);
    },
  );

  it("S6.4 two processes share a limit, one of them an hour wrong, across a restart of the server", {
    timeout: 60_000,
  }, async () => {
    const { starts, most } = await runLimitTrial({
      job: { module, url: server.url, place: freshPrefix() },
      ...LIMIT,
      windows: 5,
      clockErrorMs: 3_600_000,
      meanwhile: restart,
    });
    expect(most).toBeLessThanOrEqual(LIMIT.limit);
    expect(starts).toBeGreaterThan(5 * LIMIT.limit);
  });

  it("S2.4 a halt from one process is observed by another", { timeout: 60_000 }, async () => {
    const place = freshPrefix();
    const ports = await open(server.url, place, createSystemClock());
    const { roundTripMs, observedMs } = await runHaltTrial({ module, url: server.url, place }, ports, 100);
    await ports.close();
    console.info(
      `redis: round trip ${JSON.stringify(roundTripMs)} ms, a halt is observed after ${JSON.stringify(observedMs)} ms`,
    );
    expect(observedMs.p50).toBeGreaterThan(0);
  });
});
