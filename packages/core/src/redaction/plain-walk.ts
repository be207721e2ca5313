import { copyOf, type Frame, LONG_ARRAY, MARKERS, MAX_CONTAINERS, type Walk } from "./copy-value.js";
import { type KnownKey, scopeCovers } from "./known-keys.js";
import { drain, hasSecretName, startWalk, type WalkOptions } from "./walk.js";

/** Deeper containers take the long way: so the stack is safe, and a container counts once (see `MAX_CONTAINERS`). */
const MAX_DEPTH = 16;

/** A container that is being copied, and the one that it is in. */
interface Step {
  readonly source: object;
  readonly parent: Step | undefined;
  readonly depth: number;
}

/**
 * The same copy as `redactValue` makes without a manifest, for the data that is usual: plain objects and arrays, not deep. They are
 * copied by recursion, without a frame for each, in half the time. Whatever is not usual takes the long way from where it stands.
 */
export function redactPlain(options: WalkOptions, value: unknown): unknown {
  try {
    const walk = startWalk(options, undefined);
    // Members that every object inherits would be listed with its own.
    for (const _inherited in Object.prototype) return takeLongWay(walk, value, undefined);
    return copyPlain(walk, value, walk.keys.head, undefined);
  } catch {
    // A getter that threw is marked at its place on the long way.
    return takeLongWay(startWalk(options, undefined), value, undefined);
  }
}

/** `under` is the last key on the way to `value`, `parent` the container that it is in. */
function copyPlain(walk: Walk, value: unknown, under: KnownKey, parent: Step | undefined): unknown {
  const { text } = walk;
  if (typeof value === "string") return value.length < text.minLength ? value : text.redact(value);
  if (typeof value === "number" && !text.declaresNumbers) return value;
  if (typeof value !== "object") return typeof value === "boolean" ? value : copyOf(walk, value, undefined, "");
  return value === null ? null : copyContainer(walk, value, under, parent);
}

function copyContainer(walk: Walk, source: object, under: KnownKey, parent: Step | undefined): unknown {
  for (let step = parent; step !== undefined; step = step.parent) {
    if (step.source === source) return MARKERS.circular;
  }
  const depth = parent === undefined ? 0 : parent.depth + 1;
  if (depth === MAX_DEPTH || walk.containers >= MAX_CONTAINERS) return takeLongWay(walk, source, parent);
  walk.containers++;
  const step: Step = { source, parent, depth };
  const copy = Array.isArray(source) ? copyItems(walk, source, under, step) : copyMembers(walk, source, under, step);
  return copy ?? takeLongWay(walk, source, parent);
}

/** Undefined for an array that is not usual. */
function copyItems(walk: Walk, source: readonly unknown[], under: KnownKey, step: Step): unknown[] | undefined {
  const { length } = source;
  // A proxy can lie about its length, also with something that is not a number.
  if (typeof length !== "number" || length > LONG_ARRAY) return undefined;
  if (length === 2 && Array.isArray(step.parent?.source) && walk.keys.namesSecret(source[0])) return undefined;
  const copy: unknown[] = [];
  for (let index = 0; index < length; index++) copy.push(copyPlain(walk, source[index], under, step));
  return copy;
}

/** Undefined for an object that is not usual. */
function copyMembers(walk: Walk, source: object, under: KnownKey, step: Step): Record<string, unknown> | undefined {
  const prototype: unknown = Object.getPrototypeOf(source);
  if (prototype !== Object.prototype && prototype !== null) return undefined;
  const copy: Record<string, unknown> = prototype === null ? Object.create(null) : {};
  const { keys } = walk;
  let known: KnownKey | undefined;
  for (const key in source) {
    const expected: KnownKey | undefined = known === undefined ? under.first : known.next;
    if (expected?.key === key) known = expected;
    else known = known === undefined ? keys.knowFirst(under, key) : keys.knowNext(known, key);
    const value = (source as Record<string, unknown>)[key];
    if (known.ordinary) copy[key] = copyPlain(walk, value, known, step);
    else if (!known.staysAsItIs) return undefined;
    else copy[key] = isSecret(walk, source, known, value) ? walk.mask : copyPlain(walk, value, known, step);
  }
  return copy;
}

function isSecret(walk: Walk, source: object, known: KnownKey, value: unknown): boolean {
  if (scopeCovers(known.scope, value)) return true;
  return known.role === "value" && scopeCovers("data", value) && hasSecretName(walk, frameOf(source, undefined));
}

function takeLongWay(walk: Walk, value: unknown, parent: Step | undefined): unknown {
  const copy = copyOf(walk, value, parent && framesOf(parent), "");
  drain(walk);
  return copy;
}

function framesOf({ source, parent }: Step): Frame {
  return frameOf(source, parent && framesOf(parent));
}

/** Stands for a container on the way to something unusual; nobody asks for its pointer. */
function frameOf(source: object, parent: Frame | undefined): Frame {
  const kind = Array.isArray(source) ? "array" : "object";
  const members = kind === "array" ? [] : Object.keys(source);
  const depth = parent === undefined ? 0 : parent.depth + 1;
  return { parent, token: "", pointer: undefined, depth, source, kind, copy: source, members, count: members.length };
}
