import { type KeyMemory, type KnownKey, rememberClean, scopeCovers } from "./known-keys.js";
import { type PathStep, pointerTo, type RedactionCause, type RedactionEntry } from "./manifest.js";
import type { NoteMasking, TextRedactor } from "./text.js";
import { readObject } from "./read-object.js";

/** Deeper containers become {@link MARKERS.tooDeep}: what reads the copy (`JSON.stringify`) is recursive. */
export const MAX_DEPTH = 1000;

/** Containers after this many become {@link MARKERS.truncated}: getters and shared references can make a small value endless. */
export const MAX_CONTAINERS = 1_000_000;

/** Longer arrays are read by their keys, so that a sparse or lying `length` costs nothing. */
const LONG_ARRAY = 100_000;

/** What stands in a copy for something that cannot be copied. */
export const MARKERS = {
  circular: "[CIRCULAR]",
  tooDeep: "[TOO_DEEP]",
  truncated: "[TRUNCATED]",
  unreadable: "[UNREADABLE]",
  binary: "[BINARY]",
  function: "[FUNCTION]",
  symbol: "[SYMBOL]",
} as const;

type Marker = keyof typeof MARKERS;

export interface WalkOptions {
  readonly mask: string;
  readonly keys: KeyMemory;
  readonly text: TextRedactor;
}

/** A container that was found and still has to be filled. All kinds have one shape, which keeps the walk fast. */
interface Frame extends PathStep {
  readonly parent: Frame | undefined;
  readonly token: string;
  readonly depth: number;
  readonly source: object;
  readonly fill: (walk: Walk, frame: Frame) => void;
  readonly copy: object;
  /** Keys, entries or items; undefined for arrays that are read by index. */
  readonly members: readonly unknown[] | undefined;
}

interface Walk {
  /** Where to note what is masked; undefined when nobody asked. */
  readonly entries: RedactionEntry[] | undefined;
  readonly open: Frame[];
  containers: number;
}

/**
 * Copies any value with its secrets masked. Containers wait in a list instead of on the stack, so that no depth overflows it; the
 * way up from each finds cycles. A place in the copy is told by its parent's frame and its own token.
 */
export function createWalker({ mask, keys, text }: WalkOptions): (value: unknown, entries?: RedactionEntry[]) => unknown {
  function note(walk: Walk, parent: Frame | undefined, token: string, by: RedactionCause, rule: string): void {
    walk.entries?.push({ pointer: pointerTo(parent, token), by, rule });
  }

  function mark(walk: Walk, parent: Frame | undefined, token: string, marker: Marker): string {
    note(walk, parent, token, "value", marker);
    return MARKERS[marker];
  }

  function maskText(walk: Walk, value: string, parent: Frame | undefined, token: string): string {
    if (walk.entries === undefined) return text.redact(value);
    return text.redact(value, (by, rule) => note(walk, parent, token, by, rule));
  }

  function copyOf(walk: Walk, value: unknown, parent: Frame | undefined, token: string): unknown {
    switch (typeof value) {
      case "string":
        return maskText(walk, value, parent, token);
      case "object":
        return value === null ? null : openObject(walk, value, parent, token, true);
      case "number":
      case "bigint": {
        // A declared secret may be all digits.
        const digits = String(value);
        return text.declares(digits) ? maskText(walk, digits, parent, token) : value;
      }
      case "function":
        return mark(walk, parent, token, "function");
      case "symbol":
        return mark(walk, parent, token, "symbol");
      default:
        return value;
    }
  }

  function openObject(walk: Walk, source: object, parent: Frame | undefined, token: string, mayStandIn: boolean): unknown {
    for (let step = parent; step !== undefined; step = step.parent) {
      if (step.source === source) return mark(walk, parent, token, "circular");
    }
    const depth = parent === undefined ? 0 : parent.depth + 1;
    if (depth > MAX_DEPTH) return mark(walk, parent, token, "tooDeep");
    if (++walk.containers > MAX_CONTAINERS) return mark(walk, parent, token, "truncated");
    try {
      if (Array.isArray(source)) {
        const members = source.length > LONG_ARRAY ? Object.keys(source) : undefined;
        return push(walk, { parent, token, depth, source, fill: fillArray, copy: [], members });
      }
      const prototype: unknown = Object.getPrototypeOf(source);
      if (prototype === Object.prototype || prototype === null) {
        const copy: object = prototype === null ? Object.create(null) : {};
        return push(walk, { parent, token, depth, source, fill: fillObject, copy, members: Object.keys(source) });
      }
      const reading = readObject(source, mayStandIn);
      switch (reading.kind) {
        case "instance":
          return push(walk, { parent, token, depth, source, fill: fillObject, copy: {}, members: reading.keys });
        case "map":
          return push(walk, { parent, token, depth, source, fill: fillMap, copy: new Map(), members: reading.entries });
        case "set":
          return push(walk, { parent, token, depth, source, fill: fillSet, copy: new Set(), members: reading.items });
        case "stand-in":
          return standIn(walk, reading.value, parent, token);
        case "error":
          return copyOfError(walk, reading, parent, token);
        case "date":
          return reading.date;
        case "binary":
          return mark(walk, parent, token, "binary");
      }
    } catch {
      return mark(walk, parent, token, "unreadable");
    }
  }

  /** What `toJSON` returns may have a `toJSON` again: it counts once. */
  function standIn(walk: Walk, value: unknown, parent: Frame | undefined, token: string): unknown {
    return typeof value === "object" && value !== null
      ? openObject(walk, value, parent, token, false)
      : copyOf(walk, value, parent, token);
  }

  /** A name, and a message with its secrets masked: stack, cause and everything else may hold what nobody looked at. */
  function copyOfError(
    walk: Walk,
    error: { readonly name: unknown; readonly message: unknown },
    parent: Frame | undefined,
    token: string,
  ): object {
    const name = typeof error.name === "string" && /^[A-Za-z_$][\w$]{0,63}$/.test(error.name) ? error.name : "Error";
    const step = { parent: parent ?? ROOT, token } as unknown as Frame;
    return {
      name: maskText(walk, name, step, "name"),
      message: typeof error.message === "string" ? maskText(walk, error.message, step, "message") : "",
    };
  }

  function fillObject(walk: Walk, frame: Frame): void {
    const copy = frame.copy as Record<string, unknown>;
    const source = frame.source as Record<string, unknown>;
    const names = frame.members as readonly string[];
    for (let index = 0; index < names.length; index++) {
      const key = names[index] as string;
      const known = keys.know(key);
      let value: unknown;
      try {
        value = source[key];
      } catch {
        value = UNREADABLE;
      }
      if (!known.ordinary) fillSpecial(walk, frame, key, known, value);
      else if (typeof value === "string") copy[key] = value === known.clean ? value : copyOfString(walk, known, value, frame, key);
      else copy[key] = copyOf(walk, value, frame, key);
    }
  }
