import { checkClock } from "./check-option.js";
import type { FaultName, FaultSpec } from "./fault.js";
import type { VirtualClock } from "./virtual-clock.js";

export const CALLS_TAKE_TIME = "calls with requestMs or replyMs take time";

/** A call that is about to be made, for choosing its fault. */
export interface UpcomingCall {
  readonly method: string;
  /** 0 for the first call of the method. */
  readonly number: number;
  readonly args: readonly unknown[];
}

/** One call of a faulty port. */
export interface FaultyCall extends UpcomingCall {
  readonly fault: FaultName;
  /** Whether the port itself was called. */
  readonly reached: boolean;
  /** On the wall clock; absent without a clock. */
  readonly atMs?: number;
  /** What the caller got. Absent as long as it has nothing. */
  readonly outcome?: "answered" | "threw";
  /** When the caller got it. */
  readonly endedAtMs?: number;
}

/** One that is not over yet. */
export type OpenCall = { -readonly [Key in keyof FaultyCall]: FaultyCall[Key] };

/** Makes a call, and whatever is to go wrong with it. Synchronous where nothing takes time. */
export function perform(
  spec: Required<FaultSpec>,
  call: OpenCall,
  callPort: () => unknown,
  clock: VirtualClock | undefined,
): unknown {
  const end = (outcome: "answered" | "threw") => {
    call.outcome = outcome;
    Object.assign(call, stampOf("endedAtMs", clock));
  };
  const reach = () => {
    call.reached = true;
    return callPort();
  };
  if (spec.requestMs === 0 && spec.replyMs === 0) {
    if (spec.fault === "passes") return watched(reach, end);
    if (spec.fault === "garbage") {
      end("answered");
      return spec.answer;
    }
    if (spec.fault === "throws") {
      end("threw");
      throw spec.error;
    }
  }
  const promise = performSlowly(spec, call, reach, clock);
  promise.then(
    () => end("answered"),
    () => end("threw"),
  );
  return promise;
}

/** Passes the port's own answer through, be it a promise or not. */
function watched(reach: () => unknown, end: (outcome: "answered" | "threw") => void): unknown {
  try {
    const answer = reach();
    if (answer instanceof Promise) {
      answer.then(
        () => end("answered"),
        () => end("threw"),
      );
    } else end("answered");
    return answer;
  } catch (error) {
    end("threw");
    throw error;
  }
}

async function performSlowly(
  { fault, requestMs, replyMs, error, answer }: Required<FaultSpec>,
  { method, number }: UpcomingCall,
  reach: () => unknown,
  clock: VirtualClock | undefined,
): Promise<unknown> {
  const name = `faulty ${method}, call ${number}`;
  if (requestMs > 0 || replyMs > 0) checkClock(clock, CALLS_TAKE_TIME);
  if (requestMs > 0) await clock!.sleep(requestMs, { name });
  if (fault === "hangs") return never(clock, name);
  let reply = answer;
  if (fault === "passes") reply = await reach();
  else if (fault === "loses_reply" || fault === "never_replies") await settled(reach);
  if (replyMs > 0) await clock!.sleep(replyMs, { name });
  if (fault === "never_replies") return never(clock, name);
  if (fault === "throws" || fault === "rejects" || fault === "loses_reply") throw error;
  return reply;
}

/** Lets the port do its work; what it says of it is lost. */
async function settled(reach: () => unknown): Promise<void> {
  try {
    await reach();
  } catch {
    // Lost as well.
  }
}

function never(clock: VirtualClock | undefined, name: string): Promise<never> {
  const silence = new Promise<never>(() => {});
  return clock === undefined ? silence : clock.waitFor(name, silence);
}

/** A time stamp, where there is a clock. */
export function stampOf<Name extends string>(name: Name, clock: VirtualClock | undefined): { [Key in Name]?: number } {
  return (clock === undefined ? {} : { [name]: clock.now() }) as { [Key in Name]?: number };
}
