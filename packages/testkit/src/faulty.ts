import {
  checkFaultRates,
  drawFault,
  type Fault,
  type FaultName,
  type FaultRates,
  type FaultSpec,
  resolveFault,
} from "./fault.js";
import type { VirtualClock } from "./virtual-clock.js";

type AnyFunction = (...args: never[]) => unknown;

/** The methods of a port that can be faulty; a port that is a function, such as a gate, has the one method `call`. */
export type FaultyMethod<P> = P extends AnyFunction
  ? "call"
  : { [Name in keyof P & string]-?: NonNullable<P[Name]> extends AnyFunction ? Name : never }[keyof P & string];

/** A call that is about to be made, for choosing its fault. */
export interface UpcomingCall {
  readonly method: string;
  /** 0 for the first call of the method. */
  readonly number: number;
  readonly args: readonly unknown[];
}

/** The faults of one method: a list, one for each call (those after it pass); a choice; or rates to draw from. */
export type MethodFaults = readonly Fault[] | ((call: UpcomingCall) => Fault) | FaultRates;

/** Which methods are faulty, and how. */
export type Faults<P> = { readonly [Name in FaultyMethod<P>]?: MethodFaults };

export interface FaultyOptions {
  /** Needed by calls that take time; names calls that hang in the table of a deadlock. */
  clock?: VirtualClock;
  /** Needed by rates: what a call meets depends on the seed, the method and the number of the call only. */
  seed?: string | number;
  /** For every method that `faults` does not name. */
  rates?: FaultRates;
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

/** A port that fails as it was told to, and remembers every call. */
export type Faulty<P> = P & { readonly faultyCalls: readonly FaultyCall[] };

/**
 * Wraps a port (a store, a limiter, a kill switch, a journal, a gate …) with failures by script or by seed. Calls that
 * the port makes of its own methods are not affected. A rejection that nobody awaits goes unnoticed.
 * @throws TypeError when `faults` names a method that the port does not have, or something that is needed is missing.
 */
export function faulty<P extends object>(port: P, faults: NoInfer<Faults<P>>, options: FaultyOptions = {}): Faulty<P> {
  const faultyCalls: FaultyCall[] = [];
  const given = new Map<string, MethodFaults>(Object.entries(faults as Record<string, MethodFaults>));
  const wrap = (method: string, original: AnyFunction) => {
    const choose = chooser(given.get(method) ?? options.rates ?? [], options);
    given.delete(method);
    let calls = 0;
    return (...args: unknown[]): unknown => {
      const upcoming: UpcomingCall = { method, number: calls++, args };
      const key = `${options.seed ?? ""}\n${method}\n${upcoming.number}`;
      const spec = resolveFault(choose(upcoming, key), key);
      const call: OpenCall = { ...upcoming, fault: spec.fault, reached: false, ...stampOf("atMs", options.clock) };
      faultyCalls.push(call);
      return perform(spec, call, () => Reflect.apply(original, port, args) as unknown, options.clock);
    };
  };
  const wrapper = typeof port === "function" ? wrap("call", port as unknown as AnyFunction) : wrapMethods(port, wrap);
  for (const method of given.keys()) throw new TypeError(`the port has no method ${JSON.stringify(method)}`);
  return Object.defineProperty(wrapper, "faultyCalls", { value: faultyCalls }) as Faulty<P>;
}

type OpenCall = { -readonly [Key in keyof FaultyCall]: FaultyCall[Key] };

function chooser(faults: MethodFaults, { seed, clock }: FaultyOptions): (call: UpcomingCall, key: string) => Fault {
  if (typeof faults === "function") return faults;
  if (isList(faults)) {
    if (clock === undefined) for (const fault of faults) needsClock(fault);
    return ({ number }) => faults[number] ?? "passes";
  }
  checkFaultRates(faults);
  if (seed === undefined) throw new TypeError("rates need the option `seed`");
  return (_call, key) => drawFault(faults, key);
}

function isList(faults: MethodFaults): faults is readonly Fault[] {
  return Array.isArray(faults);
}

function needsClock(fault: Fault): void {
  const { requestMs = 0, replyMs = 0 }: FaultSpec = typeof fault === "string" ? {} : fault;
  if (requestMs > 0 || replyMs > 0) throw new TypeError("a call that takes time needs the option `clock`");
}

/** An object with the port's methods wrapped and the rest of it shown as it is. */
function wrapMethods(port: object, wrap: (method: string, original: AnyFunction) => unknown): object {
  const wrapper = Object.create(Object.getPrototypeOf(port)) as object;
  for (let owner: object = port; owner !== Object.prototype && owner !== null; owner = Object.getPrototypeOf(owner)) {
    for (const key of Reflect.ownKeys(owner)) {
      if (key === "constructor" || Object.hasOwn(wrapper, key)) continue;
      const { value, enumerable = false } = Object.getOwnPropertyDescriptor(owner, key)! as {
        value?: unknown;
        enumerable?: boolean;
      };
      const isMethod = typeof value === "function" && typeof key === "string";
      if (isMethod) Object.defineProperty(wrapper, key, { value: wrap(key, value as AnyFunction), enumerable });
      else Object.defineProperty(wrapper, key, { get: () => Reflect.get(port, key, port) as unknown, enumerable });
    }
  }
  return wrapper;
}

function perform(
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
  if (clock === undefined && (requestMs > 0 || replyMs > 0)) {
    throw new TypeError("a call that takes time needs the option `clock`");
  }
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

function stampOf<Name extends string>(name: Name, clock: VirtualClock | undefined): { [Key in Name]?: number } {
  return (clock === undefined ? {} : { [name]: clock.now() }) as { [Key in Name]?: number };
}
