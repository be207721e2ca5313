import type { AttemptContext, ExecutorResult, PlannedAction } from "@eoc/core";
import {
  createScriptedExecutor,
  hangs,
  rejects,
  type ScriptedCall,
  type ScriptedStep,
  succeeds,
  succeedsLate,
  throws,
  type VirtualClock,
  type World,
} from "@eoc/testkit";
import { drawBetween, latencyMs } from "../scenario/latency.js";
import { type Reply, replyTo } from "../scenario/reply.js";
import type { PlaySetup } from "./play-setup.js";

/** One request, and what it met. */
export interface Met {
  readonly actionId: string;
  readonly reply: Reply;
  readonly step: ScriptedStep;
  /** The client's time to hang up when it is told to stop. */
  readonly hangUpMs: number;
  readonly call: ScriptedCall;
}

/** The network between a client and the world, on virtual time: what its requests meet follows from script and seed alone. */
export interface Network {
  send(action: PlannedAction, attempt: AttemptContext): Promise<ExecutorResult>;
  /** In the order in which they were sent. */
  readonly met: readonly Met[];
}

/** What a reply does, as a step of testkit's scripted executor. */
function stepFor(reply: Reply, latency: number): ScriptedStep {
  const { status, applied, dropReply, slowMs, hang, prepareMs, crash, retryAfter } = reply;
  if (crash) return hangs({ ignoresAbort: true, applied });
  if (hang) return hangs({ applied });
  if (dropReply) return throws(new Error("connection reset"), { afterMs: latency, applied });
  const afterMs = prepareMs + latency;
  if (status < 300) return slowMs > 0 ? succeedsLate(slowMs + latency) : succeeds(undefined, { afterMs });
  const retry = retryAfter === undefined ? {} : { retryAfterMs: retryAfter * 1000 };
  if (status === 425 || status === 429) return rejects(`http_${status}`, { afterMs, ...retry });
  if (status >= 400 && status < 500 && status !== 408) return rejects(`http_${status}`, { afterMs, retryable: false });
  return throws(new Error(`http_${status}`), { afterMs, applied });
}

export function createNetwork(
  { world: script, seed }: PlaySetup,
  { clock, world, onCrash }: { clock: VirtualClock; world: World; onCrash: () => void },
): Network {
  const met: Met[] = [];
  const sent = new Map<string, number>();
  const closedUntil = new Map<string, { untilMs: number; reply: Reply }>();

  const choose = (actionId: string): Omit<Met, "call"> => {
    const number = sent.get(actionId) ?? 0;
    sent.set(actionId, number + 1);
    const closed = closedUntil.get(actionId);
    const isClosed = closed !== undefined && clock.monotonic() < closed.untilMs;
    const reply = isClosed ? closed.reply : replyTo(script, actionId, number);
    if (!isClosed && reply.retryAfter !== undefined) {
      closedUntil.set(actionId, { untilMs: clock.monotonic() + reply.retryAfter * 1000, reply });
    }
    const hangUpMs = drawBetween(`hang up\n${seed}\n${actionId}\n${number}`, 2, 6);
    return { actionId, reply, step: stepFor(reply, latencyMs(seed, actionId, number)), hangUpMs };
  };
  let latest: Omit<Met, "call"> | undefined;
  const scripted = createScriptedExecutor(
    ({ id }) => {
      latest = choose(id);
      return latest.step;
    },
    { clock, world },
  );

  return {
    met,
    send: async (action, attempt) => {
      const sentAtMs = clock.monotonic();
      const answer = scripted.execute(action, attempt) as Promise<ExecutorResult>;
      // The script was asked within the call.
      const { reply, hangUpMs } = latest!;
      met.push({ ...latest!, call: scripted.calls.at(-1)! });
      if (reply.crash) onCrash();
      try {
        return await answer;
      } catch (error) {
        if (!attempt.signal.aborted) throw error;
        const wasSent = clock.monotonic() >= sentAtMs + reply.prepareMs;
        await clock.sleep(hangUpMs);
        if (!wasSent) return { ok: false, code: "aborted_before_send" };
        throw error;
      }
    },
  };
}
