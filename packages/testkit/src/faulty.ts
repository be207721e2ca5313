import { checkOptionNames } from "@eoc/core";
import { checkFaultRates, drawFault, type Fault, type FaultRates, type FaultSpec, resolveFault } from "./fault.js";
import { type FaultyCall, type OpenCall, perform, stampOf, type UpcomingCall } from "./faulty-call.js";
import type { VirtualClock } from "./virtual-clock.js";

type AnyFunction = (...args: never[]) => unknown;

/** The methods of a port that can be faulty; a port that is a function, such as a gate, has the one method `call`. */
export type FaultyMethod<P> = P extends AnyFunction
  ? "call"
  : { [Name in keyof P & string]-?: NonNullable<P[Name]> extends AnyFunction ? Name : never }[keyof P & string];

/** The faults of one method: a list, one for each call (those after it pass); a choice; or rates to draw from. */
export type MethodFaults = readonly Fault[] | ((call: UpcomingCall) => Fault) | FaultRates;

/** Which methods are faulty, and how. */
export type Faults<P> = { readonly [Name in FaultyMethod<P>]?: MethodFaults };

/** Options of {@link faulty}. */
export interface FaultyOptions {
  /** Needed by calls that take time; names calls that hang in the table of a deadlock. */
  clock?: VirtualClock;
  /** Needed by rates: what a call meets depends on the seed, the method and the number of the call only. */
  seed?: string | number;
  /** For every method that `faults` does not name. */
  rates?: FaultRates;
}

/** A port that fails as it was told to, and remembers every call. */
export type Faulty<P> = P & { readonly faultyCalls: readonly FaultyCall[] };

/**
 * Wraps a port (a store, a limiter, a kill switch, a journal, a gate …) with failures by script or by seed. Calls that
 * the port makes of its own methods are not affected. A rejection that nobody awaits goes unnoticed.
 * @throws TypeError when `faults` names a method that the port does not have, or something that is needed is missing.
 * EocError `invalid_option`
 */
export function faulty<P extends object>(port: P, faults: NoInfer<Faults<P>>, options: FaultyOptions = {}): Faulty<P> {
  checkOptionNames(options, { clock: true, seed: true, rates: true });
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
