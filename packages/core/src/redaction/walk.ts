import { type KeyMemory, type KnownKey, scopeCovers } from "./known-keys.js";
import { type PathStep, pointerTo, type RedactionCause, type RedactionEntry } from "./manifest.js";
import { type ErrorReading, readObject } from "./read-object.js";
import type { TextRedactor } from "./text.js";

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
  /** How many members an array that is read by index has. */
  readonly count: number;
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
export function createWalker({
  mask,
  keys,
  text,
}: WalkOptions): (value: unknown, entries?: RedactionEntry[]) => unknown {
  function note(walk: Walk, parent: PathStep | undefined, token: string, by: RedactionCause, rule: string): void {
    walk.entries?.push({ pointer: pointerTo(parent, token), by, rule });
  }

  function mark(walk: Walk, parent: Frame | undefined, token: string, marker: Marker): string {
    note(walk, parent, token, "value", marker);
    return MARKERS[marker];
  }

  function maskText(walk: Walk, value: string, parent: PathStep | undefined, token: string): string {
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
      case "bigint":
        return text.declaresNumber(value) ? maskText(walk, String(value), parent, token) : value;
      case "function":
        return mark(walk, parent, token, "function");
      case "symbol":
        return mark(walk, parent, token, "symbol");
      default:
        return value;
    }
  }

  function openObject(
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
    if (depth > MAX_DEPTH) return mark(walk, parent, token, "tooDeep");
    if (++walk.containers > MAX_CONTAINERS) return mark(walk, parent, token, "truncated");
    try {
      if (Array.isArray(source)) {
        // A proxy can lie about its length, also with something that is not a number.
        const count = Number(source.length);
        const members = count > LONG_ARRAY ? Object.keys(source) : undefined;
        return push(walk, {
          parent,
          token,
          depth,
          source,
          fill: fillArray,
          copy: [],
          members,
          count: members === undefined ? count : 0,
        });
      }
      const prototype: unknown = Object.getPrototypeOf(source);
      if (prototype === Object.prototype || prototype === null) {
        const copy: object = prototype === null ? Object.create(null) : {};
        return push(walk, {
          parent,
          token,
          depth,
          source,
          fill: fillObject,
          copy,
          members: Object.keys(source),
          count: 0,
        });
      }
      const reading = readObject(source, mayStandIn);
      switch (reading.kind) {
        case "instance":
          return push(walk, {
            parent,
            token,
            depth,
            source,
            fill: fillObject,
            copy: {},
            members: reading.keys,
            count: 0,
          });
        case "map":
          return push(walk, {
            parent,
            token,
            depth,
            source,
            fill: fillMap,
            copy: new Map(),
            members: reading.entries,
            count: 0,
          });
        case "set":
          return push(walk, {
            parent,
            token,
            depth,
            source,
            fill: fillSet,
            copy: new Set(),
            members: reading.items,
            count: 0,
          });
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
  function copyOfError(walk: Walk, error: ErrorReading, parent: Frame | undefined, token: string): object {
    const name = typeof error.name === "string" && /^[A-Za-z_$][\w$]{0,63}$/.test(error.name) ? error.name : "Error";
    const message = typeof error.message === "string" ? error.message : "";
    const step: PathStep = { parent, token };
    return { name: maskText(walk, name, step, "name"), message: maskText(walk, message, step, "message") };
  }

  function fillObject(walk: Walk, frame: Frame): void {
    const copy = frame.copy as Record<string, unknown>;
    const names = frame.members as readonly string[];
    let known = keys.head;
    for (let index = 0; index < names.length; index++) {
      const key = names[index] as string;
      known = keys.knowNext(known, key);
      const value = readMember(walk, frame, key);
      if (!known.ordinary) fillSpecial(walk, frame, known, index, value);
      else if (typeof value === "string") copy[key] = maskText(walk, value, frame, key);
      else copy[key] = copyOf(walk, value, frame, key);
    }
  }

  function fillSpecial(walk: Walk, frame: Frame, known: KnownKey, index: number, value: unknown): void {
    const copy = frame.copy as Record<string, unknown>;
    const token = nameMember(walk, frame, known, index, (name) => Object.hasOwn(copy, name));
    setMember(copy, token, copyOfMember(walk, frame, token, known, value));
  }

  function readMember(walk: Walk, frame: Frame, key: string | number): unknown {
    try {
      return (frame.source as Record<string | number, unknown>)[key];
    } catch {
      return mark(walk, frame, String(key), "unreadable");
    }
  }

  /** A key as it stands in the copy. When masking makes two keys equal, the later one tells its place. */
  function nameMember(
    walk: Walk,
    frame: Frame,
    known: KnownKey,
    index: number,
    taken: (name: string) => boolean,
  ): string {
    let name = known.name;
    for (let place = index + 1; taken(name); place++) name = `${known.name} (${place})`;
    if (name !== known.key) maskText(walk, known.key, frame, name);
    return name;
  }

  function copyOfMember(walk: Walk, frame: Frame, token: string, known: KnownKey, value: unknown): unknown {
    if (scopeCovers(known.scope, value)) return maskWhole(walk, frame, token, known.rule, value);
    if (known.role === "value" && scopeCovers("data", value) && hasSecretName(walk, frame)) {
      return maskWhole(walk, frame, token, "named_value", value);
    }
    return copyOf(walk, value, frame, token);
  }

  function maskWhole(walk: Walk, frame: Frame, token: string, rule: string, value: unknown): string {
    if (value !== mask) note(walk, frame, token, "key", rule);
    return mask;
  }

  /** `{ name: "password", value: … }`, whatever the two fields are called. */
  function hasSecretName(walk: Walk, frame: Frame): boolean {
    const names = frame.members as readonly unknown[];
    return names.some(
      (key) =>
        typeof key === "string" && keys.know(key).role === "name" && keys.namesSecret(readMember(walk, frame, key)),
    );
  }

  function fillArray(walk: Walk, frame: Frame): void {
    const copy = frame.copy as unknown[];
    if (frame.members !== undefined) fillLongArray(walk, frame, copy, frame.members as readonly string[]);
    // A pair in a list of pairs, such as the entries of an object.
    const isPair =
      frame.count === 2 && frame.parent?.fill === fillArray && keys.namesSecret(readMember(walk, frame, 0));
    for (let index = 0; index < frame.count; index++) {
      const item = readMember(walk, frame, index);
      const token = String(index);
      copy.push(
        isPair && index === 1 && scopeCovers("data", item)
          ? maskWhole(walk, frame, token, "named_value", item)
          : copyOf(walk, item, frame, token),
      );
    }
  }

  function fillLongArray(walk: Walk, frame: Frame, copy: unknown[], names: readonly string[]): void {
    for (const name of names) {
      const index = Number(name);
      if (Number.isInteger(index)) copy[index] = copyOf(walk, readMember(walk, frame, name), frame, name);
    }
  }

  function fillMap(walk: Walk, frame: Frame): void {
    const copy = frame.copy as Map<unknown, unknown>;
    const entries = frame.members as readonly (readonly [unknown, unknown])[];
    for (const [index, [key, value]] of entries.entries()) {
      if (typeof key === "string") {
        const known = keys.know(key);
        const token = nameMember(walk, frame, known, index, (name) => copy.has(name));
        copy.set(token, copyOfMember(walk, frame, token, known, value));
      } else {
        const token = String(index);
        copy.set(copyOf(walk, key, frame, token), copyOf(walk, value, frame, token));
      }
    }
  }

  function fillSet(walk: Walk, frame: Frame): void {
    const copy = frame.copy as Set<unknown>;
    for (const [index, item] of (frame.members as readonly unknown[]).entries()) {
      copy.add(copyOf(walk, item, frame, String(index)));
    }
  }

  return (value, entries) => {
    const walk: Walk = { entries, open: [], containers: 0 };
    const copy = copyOf(walk, value, undefined, "");
    for (let frame = walk.open.pop(); frame !== undefined; frame = walk.open.pop()) frame.fill(walk, frame);
    return copy;
  };
}

function push(walk: Walk, frame: Frame): object {
  walk.open.push(frame);
  return frame.copy;
}

function setMember(copy: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== "__proto__") copy[name] = value;
  else Object.defineProperty(copy, name, { value, enumerable: true, configurable: true, writable: true });
}
