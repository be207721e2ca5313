import { copyOf, type Frame, LONG_ARRAY, MARKERS, MAX_CONTAINERS, type Walk } from "./copy-value.js";
import { type KnownKey, scopeCovers } from "./known-keys.js";
import { drain, hasSecretName, startWalk, type WalkOptions } from "./walk.js";

/** Deeper containers take the long way: so the stack is safe, and a container counts once (see `MAX_CONTAINERS`). */
const MAX_DEPTH = 16;

/**
 * The same copy as `redactValue` makes without a manifest, for the data that is usual: plain objects and arrays, not deep. They are
 * copied by recursion, without a frame for each, in half the time. Whatever is not usual takes the long way from where it stands.
 */
export function redactPlain(options: WalkOptions, value: unknown): unknown {
  const walk = startWalk(options, undefined);
  // Members that every object inherits would be listed with its own.
  for (const _inherited in Object.prototype) return takeLongWay(walk, value, []);
  return copyPlain(walk, value, walk.keys.head, []);
}

/** `under` is the last key on the way to `value`; `path` holds the containers that it is in, outermost first. */
function copyPlain(walk: Walk, value: unknown, under: KnownKey, path: object[]): unknown {
  const { text } = walk;
  if (typeof value === "string") return value.length < text.minLength ? value : text.redact(value);
  if (typeof value === "number" && !text.declaresNumbers) return value;
  if (typeof value !== "object") return typeof value === "boolean" ? value : copyOf(walk, value, undefined, "");
  return value === null ? null : copyContainer(walk, value, under, path);
}

function copyContainer(walk: Walk, value: object, under: KnownKey, path: object[]): unknown {
  const depth = path.length;
  for (let index = 0; index < depth; index++) if (path[index] === value) return MARKERS.circular;
  if (depth === MAX_DEPTH || walk.containers >= MAX_CONTAINERS) return takeLongWay(walk, value, path);
  let copy: unknown;
  try {
    copy = Array.isArray(value) ? copyItems(walk, value, under, path) : copyMembers(walk, value, under, path);
  } catch {
    // A getter that threw is marked at its place on the long way.
  }
  path.length = depth;
  return copy ?? takeLongWay(walk, value, path);
}

/** Undefined for an array that is not usual. */
function copyItems(walk: Walk, source: readonly unknown[], under: KnownKey, path: object[]): unknown[] | undefined {
  const { length } = source;
  // A proxy can lie about its length, also with something that is not a number.
  if (typeof length !== "number" || length > LONG_ARRAY) return undefined;
  if (length === 2 && Array.isArray(path.at(-1)) && walk.keys.namesSecret(source[0])) return undefined;
  walk.containers++;
  path.push(source);
  const copy: unknown[] = [];
  for (let index = 0; index < length; index++) copy.push(copyPlain(walk, source[index], under, path));
  return copy;
}

/** Undefined for an object that is not usual. */
function copyMembers(walk: Walk, source: object, under: KnownKey, path: object[]): Record<string, unknown> | undefined {
  const prototype: unknown = Object.getPrototypeOf(source);
  if (prototype !== Object.prototype && prototype !== null) return undefined;
  walk.containers++;
  path.push(source);
  const copy: Record<string, unknown> = prototype === null ? Object.create(null) : {};
  const { keys } = walk;
  let known: KnownKey | undefined;
  for (const key in source) {
    const expected: KnownKey | undefined = known === undefined ? under.first : known.next;
    if (expected?.key === key) known = expected;
    else known = known === undefined ? keys.knowFirst(under, key) : keys.knowNext(known, key);
    const value = (source as Record<string, unknown>)[key];
    if (known.ordinary) copy[key] = copyPlain(walk, value, known, path);
    else if (!known.staysAsItIs) return undefined;
    else copy[key] = isSecret(walk, source, known, value) ? walk.mask : copyPlain(walk, value, known, path);
  }
  return copy;
}

function isSecret(walk: Walk, source: object, known: KnownKey, value: unknown): boolean {
  if (scopeCovers(known.scope, value)) return true;
  return known.role === "value" && scopeCovers("data", value) && hasSecretName(walk, frameOf(source, undefined));
}

function takeLongWay(walk: Walk, value: unknown, path: readonly object[]): unknown {
  let parent: Frame | undefined;
  for (const source of path) parent = frameOf(source, parent);
  const copy = copyOf(walk, value, parent, "");
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
