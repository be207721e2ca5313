import { checkOptionNames } from "@eoc/core";
import { checkClock, checkOption } from "./check-option.js";
import {
  checkFault,
  checkFaultRates,
  drawFault,
  type Fault,
  type FaultRates,
  type FaultSpec,
  resolveFault,
} from "./fault.js";
import { CALLS_TAKE_TIME, type FaultyCall, type OpenCall, perform, stampOf, type UpcomingCall } from "./faulty-call.js";
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
 * @throws EocError `invalid_option`, also when `faults` names a method that the port does not have, or something that is needed is
 * missing; a call throws it when the fault that was chosen for it is none
 */
export function faulty<P extends object>(port: P, faults: NoInfer<Faults<P>>, options: FaultyOptions = {}): Faulty<P> {
  checkOptionNames(options, { clock: true, seed: true, rates: true });
  checkOption(isObject(port), "port", "an object or a function", port);
  checkOption(isObject(faults), "faults", "an object with the faults of each method", faults);
  const { rates } = options;
  const faultyCalls: FaultyCall[] = [];
  const methods: Record<string, true> = {};
  const given = new Map<string, MethodFaults>(Object.entries(faults as Record<string, MethodFaults>));
  const wrap = (method: string, original: AnyFunction) => {
    methods[method] = true;
    const own = given.get(method);
    const choose =
      own === undefined && rates !== undefined
        ? chooser("rates", rates, options)
        : chooser(`faults.${method}`, own ?? [], options);
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
  checkOptionNames(faults, methods as never, "faults");
  return Object.defineProperty(wrapper, "faultyCalls", { value: faultyCalls }) as Faulty<P>;
}

function isObject(value: unknown): boolean {
  return typeof value === "function" || (typeof value === "object" && value !== null);
}

function chooser(
  path: string,
  faults: MethodFaults,
  { seed, clock }: FaultyOptions,
): (call: UpcomingCall, key: string) => Fault {
  if (typeof faults === "function") {
    return (call) => {
      const fault = faults(call);
      checkFault(`${path}()`, fault);
      return fault;
    };
  }
  if (isList(faults)) {
    checkFaults(path, faults);
    if (faults.some(takesTime)) checkClock(clock, CALLS_TAKE_TIME);
    return ({ number }) => faults[number] ?? "passes";
  }
  checkOption(isObject(faults), path, "a list of faults, a function or rates", faults);
  checkFaultRates(path, faults);
  checkOption(["string", "number"].includes(typeof seed), "seed", "a text or a number, for rates", seed);
  return (_call, key) => drawFault(faults, key);
}

/** @throws EocError `invalid_option` for a list that has something else than faults */
export function checkFaults(path: string, faults: readonly Fault[]): void {
  checkOption(Array.isArray(faults), path, "a list of faults", faults);
  for (const [index, fault] of faults.entries()) checkFault(`${path}[${index}]`, fault);
}

function isList(faults: MethodFaults): faults is readonly Fault[] {
  return Array.isArray(faults);
}

function takesTime(fault: Fault): boolean {
  const { requestMs = 0, replyMs = 0 }: FaultSpec = typeof fault === "string" ? {} : fault;
  return requestMs > 0 || replyMs > 0;
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
