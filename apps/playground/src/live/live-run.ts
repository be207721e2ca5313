import { bearerToken, createExecutionHandler, type ExecutionHandler } from "@eoc/adapter-http";
import { createMemoryIdempotencyStore, createMemoryRateLimiter, definePolicy, type ManualKillSwitch } from "@eoc/core";
import { createJsonlJournal } from "@eoc/trace";
import { runNaively } from "../demo/naive-retry.js";
import type { WorldObserver, WorldService } from "../demo/world.js";
import { createWorldExecutor } from "../demo/world-executor.js";
import type { PlaySetup } from "../engine/play-setup.js";
import type { WorldMessage } from "./wire.js";

/** One run against the real world: EOC behind its HTTP handler, naive retry beside it. */
export interface LiveRun {
  /** Serves `/execute` and `/executions/…` below `basePath`. */
  readonly handle: ExecutionHandler;
  readonly startedAtMs: number;
  /** The journal so far. */
  readonly journal: readonly string[];
  /** Lets naive retry loose, and tells what happens in both worlds; ends with naive retry and the reader's interest. */
  follow(tell: (message: WorldMessage) => void): Promise<void>;
}

export function openLiveRun(
  setup: PlaySetup,
  service: WorldService,
  { token, killSwitch, basePath }: { token: string; killSwitch: ManualKillSwitch; basePath: string },
): LiveRun {
  const startedAtMs = Date.now();
  const startedMs = performance.now();
  const atMs = () => performance.now() - startedMs;
  const said: WorldMessage[] = [];
  let tellNow: ((message: WorldMessage) => void) | undefined;
  const tell = (message: WorldMessage) => {
    said.push(message);
    tellNow?.(message);
  };
  const observer = (side: "eoc" | "naive"): WorldObserver => ({
    request: (actionId) => tell({ type: "request", side, actionId, atMs: atMs() }),
    effect: (actionId) => tell({ type: "effect", side, actionId, atMs: atMs() }),
  });
  const world = service.open(setup.world, setup.seed, observer("eoc"));
  const naiveWorld = service.open(setup.world, setup.seed, observer("naive"));
  const journal: string[] = [];
  const { haltAtMs } = setup;
  if (haltAtMs !== undefined) {
    void world.firstRequest.then(() => setTimeout(() => killSwitch.halt("the scenario says so"), haltAtMs));
  }
  const policy = definePolicy(setup.policy);

  return {
    startedAtMs,
    journal,
    handle: createExecutionHandler({
      policy,
      executor: createWorldExecutor(setup, world, service.origin),
      authorize: bearerToken(token),
      ports: {
        killSwitch,
        idempotencyStore: createMemoryIdempotencyStore(),
        rateLimiter: createMemoryRateLimiter(),
        journal: createJsonlJournal({ append: (line) => void journal.push(line) }).forExecution(setup.decision, policy),
      },
      basePath,
    }),
    follow: async (listener) => {
      tellNow = listener;
      for (const message of said) listener(message);
      const counts = new Map<string, number>();
      const belief = await runNaively({ ...setup, policy }, naiveWorld, (actionId) => {
        const number = counts.get(actionId) ?? 0;
        counts.set(actionId, number + 1);
        tell({ type: "attempt.started", actionId, number, atMs: atMs() });
        return (came) => tell({ type: "attempt.finished", actionId, number, came, atMs: atMs() });
      });
      tell({ type: "naive.finished", belief, atMs: atMs() });
    },
  };
}
