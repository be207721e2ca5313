import { copyOf, type Frame, LONG_ARRAY, MARKERS, MAX_CONTAINERS, type Walk } from "./copy-value.js";
import { type KnownKey, scopeCovers } from "./known-keys.js";
import { drain, hasSecretName, redactValue, startWalk, type WalkOptions } from "./walk.js";

/** Deeper containers take the long way: so the stack is safe, and a container counts once (see `MAX_CONTAINERS`). */
const MAX_DEPTH = 16;

/** One redaction of plain data. */
interface PlainWalk extends Walk {
  /** The containers that are being copied, from the root on; beyond the depth of the last one, those of an earlier moment. */
  readonly path: object[];
}

/**
 * The same copy as `redactValue` makes without a manifest, for the data that is usual: plain objects and arrays, not deep. They are
 * copied by recursion, without a frame for each, in half the time. Whatever is not usual takes the long way from where it stands.
 */
export function redactPlain(options: WalkOptions, value: unknown): unknown {
  try {
    // Members that every object inherits would be listed with its own.
    for (const _inherited in Object.prototype) return redactValue(options, value, undefined);
    const walk: PlainWalk = { ...startWalk(options, undefined), path: [] };
    return copyPlain(walk, value, walk.keys.head, 0);
  } catch {
    // A getter that threw is marked at its place on the long way.
    return redactValue(options, value, undefined);
  }
}

/** `under` is the last key on the way to `value`, `depth` the number of containers that it is in. */
function copyPlain(walk: PlainWalk, value: unknown, under: KnownKey, depth: number): unknown {
  if (typeof value === "string") return walk.text.redact(value);
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "number" && !walk.text.declaresNumbers) return value;
  return typeof value === "object" ? copyContainer(walk, value, under, depth) : copyOf(walk, value, undefined, "");
}

function copyContainer(walk: PlainWalk, source: object, under: KnownKey, depth: number): unknown {
  const { path } = walk;
  for (let around = 0; around < depth; around++) if (path[around] === source) return MARKERS.circular;
  if (depth === MAX_DEPTH || walk.containers >= MAX_CONTAINERS) return takeLongWay(walk, source, depth);
  walk.containers++;
  path[depth] = source;
  const copy = Array.isArray(source) ? copyItems(walk, source, under, depth) : copyMembers(walk, source, under, depth);
  return copy ?? takeLongWay(walk, source, depth);
}

/** Undefined for an array that is not usual. */
function copyItems(walk: PlainWalk, source: readonly unknown[], under: KnownKey, depth: number): unknown[] | undefined {
  const { length } = source;
  // A proxy can lie about its length, also with something that is not a number.
  if (typeof length !== "number" || length > LONG_ARRAY) return undefined;
  const isPair = length === 2 && depth > 0 && Array.isArray(walk.path[depth - 1]);
  if (isPair && walk.keys.namesSecret(source[0])) return undefined;
  // To push would make room for seventeen.
  const copy = new Array<unknown>(length);
  for (let index = 0; index < length; index++) copy[index] = copyPlain(walk, source[index], under, depth + 1);
  return copy;
}

/** Undefined for an object that is not usual. */
function copyMembers(
  walk: PlainWalk,
  source: object,
  under: KnownKey,
  depth: number,
): Record<string, unknown> | undefined {
  const prototype: unknown = Object.getPrototypeOf(source);
  if (prototype !== Object.prototype && prototype !== null) return undefined;
  const copy: Record<string, unknown> = prototype === null ? Object.create(null) : {};
  let previous: KnownKey | undefined;
  let known = under.first;
  for (const key in source) {
    if (known?.key !== key)
      known = previous === undefined ? walk.keys.knowFirst(under, key) : walk.keys.knowNext(previous, key);
    const value = (source as Record<string, unknown>)[key];
    if (known.ordinary)
      copy[key] = typeof value === "string" ? walk.text.redact(value) : copyPlain(walk, value, known, depth + 1);
    else if (!known.staysAsItIs) return undefined;
    else copy[key] = isSecret(walk, source, known, value) ? walk.mask : copyPlain(walk, value, known, depth + 1);
    previous = known;
    known = known.next;
  }
  return copy;
}

function isSecret(walk: PlainWalk, source: object, known: KnownKey, value: unknown): boolean {
  if (scopeCovers(known.scope, value)) return true;
  return known.role === "value" && scopeCovers("data", value) && hasSecretName(walk, frameOf(source, undefined));
}

/** From a container on, which `depth` others are around. */
function takeLongWay(walk: PlainWalk, source: object, depth: number): unknown {
  let parent: Frame | undefined;
  for (const around of walk.path.slice(0, depth)) parent = frameOf(around, parent);
  const copy = copyOf(walk, source, parent, "");
  drain(walk);
  return copy;
}

/** Stands for a container on the way to something unusual; nobody asks for its pointer. */
function frameOf(source: object, parent: Frame | undefined): Frame {
  const kind = Array.isArray(source) ? "array" : "object";
  const members = kind === "array" ? [] : Object.keys(source);
  const depth = parent === undefined ? 0 : parent.depth + 1;
  return { parent, token: "", pointer: undefined, depth, source, kind, copy: source, members, count: members.length };
}
