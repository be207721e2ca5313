import { afterAll, beforeAll, describe, it } from "vitest";
import { processCases } from "../../../tools/store-trials/process-cases.js";
import { findRedis, type RedisServer, startRedis } from "./redis-server.js";
import { freshPrefix, noServer } from "./support.js";
import * as trial from "./trial-ports.js";

describe.skipIf(noServer)("with processes, and a server, that are killed", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis(findRedis()!);
  }, 60_000);
  afterAll(() => server.remove());

  const module = new URL("trial-ports.ts", import.meta.url).href;
  const bench = { name: "redis", trial, module, server: () => server, freshPlace: freshPrefix };
  for (const { name, run } of processCases(bench)) it(name, { timeout: 120_000 }, run);
});
