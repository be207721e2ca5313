import type { TestProject } from "vitest/node";
import { findPostgres, type PostgresServer, startPostgres } from "./postgres-server.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Undefined where this machine has no PostgreSQL. */
    postgresUrl: string | undefined;
  }
}

/** One server for the whole run. Where there is none, the tests that need it are skipped; on CI that is a failure. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const bin = findPostgres();
  let server: PostgresServer | undefined;
  if (bin === undefined) {
    const message = "tests with a real PostgreSQL are skipped: no initdb and postgres in PATH or EOC_POSTGRES_BIN";
    if (process.env["CI"]) throw new Error(message);
    console.warn(`@eoc/store-postgres: ${message}`);
  } else {
    server = await startPostgres(bin);
  }
  project.provide("postgresUrl", server?.url);
  return async () => {
    await server?.remove();
  };
}
