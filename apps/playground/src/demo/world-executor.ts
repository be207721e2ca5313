import { setTimeout as sleep } from "node:timers/promises";
import { createHttpExecutor, type HttpExecutor } from "@eoc/adapter-http";
import { type AttemptContext, NotAppliedError, type PlannedAction } from "@eoc/core";
import { replyTo } from "../scenario/reply.js";
import type { Scenario } from "../scenario/scenario.js";
import type { World } from "./world.js";

/** Sends the actions of a scenario to a world over HTTP; asks it what became of a request where the scenario says so. */
export function createWorldExecutor(
  { reconcile, world: script }: Pick<Scenario, "reconcile" | "world">,
  world: Pick<World, "url">,
  origin: string,
): HttpExecutor {
  const urlOf = ({ id }: { id: string }) => `${world.url}/${encodeURIComponent(id)}`;
  return createHttpExecutor({
    request: async (action, attempt) => {
      await prepare(replyTo(script, action.id, attempt.attempt).prepareMs, attempt);
      return { method: "POST", url: urlOf(action), body: action.params };
    },
    allowedOrigins: [origin],
    allowPrivateAddresses: true,
    ...(reconcile && {
      reconcile: {
        request: (action: PlannedAction) => ({ method: "GET", url: urlOf(action) }),
        // This world applies a request as it arrives, so that nothing found means that nothing came.
        decide: ({ status, value }: { status: number; value?: unknown }) => {
          if (status === 200) return { state: "applied", value };
          return { state: status === 404 ? "not_applied" : "unknown" };
        },
      },
    }),
  });
}

async function prepare(prepareMs: number, { signal }: AttemptContext): Promise<void> {
  if (prepareMs === 0) return;
  try {
    await sleep(prepareMs, undefined, { signal });
  } catch {
    throw new NotAppliedError("aborted_before_send");
  }
}
