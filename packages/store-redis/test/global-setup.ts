import type { TestProject } from "vitest/node";
import { findRedis, type RedisServer, startRedis } from "./redis-server.js";

declare module "vitest" {
  interface ProvidedContext {
    /** Undefined where this machine has no Redis. */
    redisUrl: string | undefined;
  }
}

/** One server for the whole run. Where there is none, the tests that need it are skipped; on CI that is a failure. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const bin = findRedis();
  let server: RedisServer | undefined;
  if (bin === undefined) {
    const message = "tests with a real Redis are skipped: no redis-server in PATH or EOC_REDIS_SERVER";
    if (process.env["CI"]) throw new Error(message);
    console.warn(`@eoc/store-redis: ${message}`);
  } else {
    server = await startRedis(bin);
  }
  project.provide("redisUrl", server?.url);
  return async () => {
    await server?.remove();
  };
}
