import type { KeyMemory } from "./known-keys.js";
import { type PathStep, pointerTo, type RedactionCause, type RedactionEntry } from "./manifest.js";
import { type ErrorReading, readObject } from "./read-object.js";
import type { TextRedactor } from "./text.js";

/** Deeper containers are marked instead: whatever reads the copy, such as `JSON.stringify`, may overflow its stack. */
export const MAX_DEPTH = 1000;

/**
 * Containers after this many are marked instead: getters and shared references can make a small value endless. One counts once
 * more for every sixteen levels that it is deep, since the way up from it is searched for cycles.
 */
export const MAX_CONTAINERS = 1_000_000;

/** Longer arrays are read by their keys, so that a sparse one, or one that lies about its length, costs nothing. */
export const LONG_ARRAY = 100_000;

/** What stands in a copy for something that cannot be copied. */
export const MARKERS = {
  circular: "[CIRCULAR]",
  too_deep: "[TOO_DEEP]",
  truncated: "[TRUNCATED]",
  unreadable: "[UNREADABLE]",
  binary: "[BINARY]",
  function: "[FUNCTION]",
  symbol: "[SYMBOL]",
} as const;

/** One redaction. Containers wait in `open` instead of on the stack, so that no depth overflows it. */
export interface Walk {
  readonly mask: string;
  readonly keys: KeyMemory;
  readonly text: TextRedactor;
  /** Where to note what is masked; undefined when nobody asked. */
  readonly entries: RedactionEntry[] | undefined;
  readonly open: Frame[];
  containers: number;
}

/** A container whose copy is made but not filled. The way up from it tells cycles and pointers. */
export interface Frame extends PathStep {
  readonly parent: Frame | undefined;
  readonly token: string;
  pointer: string | undefined;
  readonly depth: number;
  readonly source: object;
  readonly kind: "object" | "array" | "long-array" | "map" | "set";
  readonly copy: object;
  /** Keys, entries or items; none for an array that is read by index. */
  readonly members: readonly unknown[];
  /** How many members there are. */
  readonly count: number;
}

/** Notes a masked place, told by the frame (or step) that it is in and its token there. */
export function note(walk: Walk, parent: PathStep | undefined, token: string, by: RedactionCause, rule: string): void {
  walk.entries?.push({ pointer: pointerTo(parent, token), by, rule });
}

/** Marks and notes a place that cannot be copied. */
export function mark(walk: Walk, parent: Frame | undefined, token: string, marker: keyof typeof MARKERS): string {
  note(walk, parent, token, "value", marker);
  return MARKERS[marker];
}

/** A text without its secrets. */
export function maskText(walk: Walk, value: string, parent: PathStep | undefined, token: string): string {
  if (walk.entries === undefined) return walk.text.redact(value);
  return walk.text.redact(value, (by, rule) => note(walk, parent, token, by, rule));
}

/** What stands in the copy for a value; the copy of a container is filled later. */
export function copyOf(walk: Walk, value: unknown, parent: Frame | undefined, token: string): unknown {
  switch (typeof value) {
    case "string":
      return maskText(walk, value, parent, token);
    case "object":
      return value === null ? null : copyOfObject(walk, value, parent, token, true);
    case "number":
    case "bigint":
      return walk.text.declaresNumber(value) ? maskText(walk, String(value), parent, token) : value;
    case "function":
      return mark(walk, parent, token, "function");
    case "symbol":
      return mark(walk, parent, token, "symbol");
    default:
      return value;
  }
}

function copyOfObject(
  walk: Walk,
  source: object,
  parent: Frame | undefined,
  token: string,
  mayStandIn: boolean,
): unknown {
  for (let step = parent; step !== undefined; step = step.parent) {
    if (step.source === source) return mark(walk, parent, token, "circular");
  }
  const depth = parent === undefined ? 0 : parent.depth + 1;
  if (depth > MAX_DEPTH) return mark(walk, parent, token, "too_deep");
  // Noted once: where it happens at all, it happens at very many places.
  if (walk.containers > MAX_CONTAINERS) return MARKERS.truncated;
  walk.containers += 1 + (depth >> 4);
  if (walk.containers > MAX_CONTAINERS) return mark(walk, parent, token, "truncated");

  function open(kind: Frame["kind"], copy: object, members: readonly unknown[], count: number): object {
    walk.open.push({ parent, token, pointer: undefined, depth, source, kind, copy, members, count });
    return copy;
  }
  try {
    if (Array.isArray(source)) {
      // A proxy can lie about its length, also with something that is not a number.
      const length = Number(source.length);
      if (length <= LONG_ARRAY) return open("array", [], [], length);
      const keys = Object.keys(source);
      return open("long-array", [], keys, keys.length);
    }
    const prototype: unknown = Object.getPrototypeOf(source);
    if (prototype === Object.prototype || prototype === null) {
      const keys = Object.keys(source);
      return open("object", prototype === null ? Object.create(null) : {}, keys, keys.length);
    }
    const reading = readObject(source, mayStandIn);
    switch (reading.kind) {
      case "instance":
        return open("object", {}, reading.keys, reading.keys.length);
      case "map":
        return open("map", new Map(), reading.entries, reading.entries.length);
      case "set":
        return open("set", new Set(), reading.items, reading.items.length);
      case "date":
        return reading.date;
      case "error":
        return copyOfError(walk, reading, { parent, token, pointer: undefined });
      case "binary":
        return mark(walk, parent, token, "binary");
      case "stand-in":
        return copyOfStandIn(walk, reading.value, parent, token);
    }
  } catch {
    return mark(walk, parent, token, "unreadable");
  }
}

/** A name, and a message without its secrets: stack, cause and all else may hold what nobody looked at. */
function copyOfError(walk: Walk, error: ErrorReading, step: PathStep): object {
  const name = typeof error.name === "string" && /^[A-Za-z_$][\w$]{0,63}$/.test(error.name) ? error.name : "Error";
  const message = typeof error.message === "string" ? error.message : "";
  return { name: maskText(walk, name, step, "name"), message: maskText(walk, message, step, "message") };
}

/** What `toJSON` returns may have a `toJSON` again: only the first counts. */
function copyOfStandIn(walk: Walk, value: unknown, parent: Frame | undefined, token: string): unknown {
  if (typeof value !== "object" || value === null) return copyOf(walk, value, parent, token);
  return copyOfObject(walk, value, parent, token, false);
}
