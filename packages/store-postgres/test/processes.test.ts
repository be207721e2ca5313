import { afterAll, beforeAll, describe, it } from "vitest";
import { processCases } from "../../../tools/store-trials/process-cases.js";
import { findPostgres, type PostgresServer, startPostgres } from "./postgres-server.js";
import { freshSchema, noServer } from "./support.js";
import * as trial from "./trial-ports.js";

describe.skipIf(noServer)("with processes, and a server, that are killed", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres(findPostgres()!);
  }, 60_000);
  afterAll(() => server.remove());

  const module = new URL("trial-ports.ts", import.meta.url).href;
  const bench = { name: "postgres", trial, module, server: () => server, freshPlace: freshSchema };
  for (const { name, run } of processCases(bench)) it(name, { timeout: 120_000 }, run);
});
