import { copyOf, type Frame, mark, maskText, note, type Walk } from "./copy-value.js";
import { type KeyMemory, type KnownKey, scopeCovers } from "./known-keys.js";
import type { RedactionEntry } from "./manifest.js";
import type { TextRedactor } from "./text.js";

/** What a walk masks with, and by. */
export interface WalkOptions {
  readonly mask: string;
  readonly keys: KeyMemory;
  readonly text: TextRedactor;
}

/** A copy of any value with its secrets masked. What was masked is added to `entries`, if there are any to add to. */
export function redactValue(options: WalkOptions, value: unknown, entries: RedactionEntry[] | undefined): unknown {
  const walk = startWalk(options, entries);
  const copy = copyOf(walk, value, undefined, "");
  drain(walk);
  return copy;
}

/** A walk that has not set out. */
export function startWalk({ mask, keys, text }: WalkOptions, entries: RedactionEntry[] | undefined): Walk {
  return { mask, keys, text, entries, open: [], containers: 0 };
}

/** Fills the copies of all containers that wait. */
export function drain(walk: Walk): void {
  for (let frame = walk.open.pop(); frame !== undefined; frame = walk.open.pop()) fill(walk, frame);
}

function fill(walk: Walk, frame: Frame): void {
  switch (frame.kind) {
    case "object":
      return fillObject(walk, frame);
    case "array":
      return fillArray(walk, frame);
    case "long-array":
      return fillLongArray(walk, frame);
    case "map":
      return fillMap(walk, frame);
    case "set":
      return fillSet(walk, frame);
  }
}

function fillObject(walk: Walk, frame: Frame): void {
  const copy = frame.copy as Record<string, unknown>;
  let known = walk.keys.head;
  for (let index = 0; index < frame.count; index++) {
    const key = frame.members[index] as string;
    known = walk.keys.knowNext(known, key);
    const value = read(walk, frame, key, known.name);
    if (!known.ordinary) fillSpecial(walk, frame, known, index, value);
    else if (typeof value === "string") copy[key] = maskText(walk, value, frame, key);
    else copy[key] = copyOf(walk, value, frame, key);
  }
}

/** Reads a member; one whose getter throws is marked at its place in the copy. */
function read(walk: Walk, frame: Frame, key: string | number, token: string): unknown {
  try {
    return (frame.source as Record<string | number, unknown>)[key];
  } catch {
    return mark(walk, frame, token, "unreadable");
  }
}

function fillSpecial(walk: Walk, frame: Frame, known: KnownKey, index: number, value: unknown): void {
  const copy = frame.copy as Record<string, unknown>;
  const name = nameOf(walk, frame, known, index, (taken) => Object.hasOwn(copy, taken));
  const isNamedSecret = known.role === "value" && scopeCovers("data", value) && hasSecretName(walk, frame);
  const member = isNamedSecret
    ? maskWhole(walk, frame, name, "named_value", value)
    : copyOfMember(walk, frame, name, known, value);
  if (name !== "__proto__") copy[name] = member;
  else Object.defineProperty(copy, name, { value: member, enumerable: true, configurable: true, writable: true });
}

/** A key as it stands in the copy. When masking makes two keys equal, the later one tells its place. */
function nameOf(walk: Walk, frame: Frame, known: KnownKey, index: number, isTaken: (name: string) => boolean): string {
  let name = known.name;
  for (let place = index + 1; isTaken(name); place++) name = `${known.name} (${place})`;
  // Told again, now that the pointer is known.
  if (walk.entries !== undefined && known.name !== known.key) maskText(walk, known.key, frame, name);
  return name;
}

function copyOfMember(walk: Walk, frame: Frame, token: string, known: KnownKey, value: unknown): unknown {
  return scopeCovers(known.scope, value)
    ? maskWhole(walk, frame, token, known.rule, value)
    : copyOf(walk, value, frame, token);
}

function maskWhole(walk: Walk, frame: Frame, token: string, rule: string, value: unknown): string {
  if (value !== walk.mask) note(walk, frame, token, "key", rule);
  return walk.mask;
}

/** `{ name: "password", value: … }`, whatever the two fields are called. */
export function hasSecretName(walk: Walk, frame: Frame): boolean {
  return (frame.members as readonly string[]).some((key) => {
    const { role, name } = walk.keys.know(key);
    return role === "name" && walk.keys.namesSecret(read(walk, frame, key, name));
  });
}

function fillArray(walk: Walk, frame: Frame): void {
  const copy = frame.copy as unknown[];
  // A pair in a list of pairs, such as the entries of an object.
  const isPair = frame.count === 2 && frame.parent?.kind === "array";
  const isNamedSecret = isPair && walk.keys.namesSecret(read(walk, frame, 0, "0"));
  for (let index = 0; index < frame.count; index++) {
    const token = String(index);
    const item = read(walk, frame, index, token);
    copy.push(
      isNamedSecret && index === 1 && scopeCovers("data", item)
        ? maskWhole(walk, frame, token, "named_value", item)
        : copyOf(walk, item, frame, token),
    );
  }
}

function fillLongArray(walk: Walk, frame: Frame): void {
  const copy = frame.copy as unknown[];
  for (const token of frame.members as readonly string[]) {
    const index = Number(token);
    if (Number.isInteger(index)) copy[index] = copyOf(walk, read(walk, frame, token, token), frame, token);
  }
}

function fillMap(walk: Walk, frame: Frame): void {
  const copy = frame.copy as Map<unknown, unknown>;
  for (const [index, [key, value]] of (frame.members as readonly [unknown, unknown][]).entries()) {
    if (typeof key === "string") {
      const known = walk.keys.know(key);
      const name = nameOf(walk, frame, known, index, (taken) => copy.has(taken));
      copy.set(name, copyOfMember(walk, frame, name, known, value));
    } else {
      const token = String(index);
      copy.set(copyOf(walk, key, frame, token), copyOf(walk, value, frame, token));
    }
  }
}

function fillSet(walk: Walk, frame: Frame): void {
  const copy = frame.copy as Set<unknown>;
  for (const [index, item] of frame.members.entries()) copy.add(copyOf(walk, item, frame, String(index)));
}
