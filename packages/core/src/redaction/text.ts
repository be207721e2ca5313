import { createAssignmentMasker } from "./assignments.js";
import { type DeclaredSecrets, declareSecrets } from "./declared-secrets.js";
import type { RedactionCause } from "./manifest.js";
import { builtInPatterns, type ValuePattern } from "./value-patterns.js";

/** Told of every rule that masked something in a text. */
type NoteMasking = (by: RedactionCause, rule: string) => void;

export interface TextRedactor {
  /** The text with every secret in it masked; the same string if there is none. */
  redact(text: string, note?: NoteMasking): string;
  /** Whether any number can be a declared secret, or hold one. */
  readonly declaresNumbers: boolean;
  /** Whether this number does. */
  declaresNumber(value: number | bigint): boolean;
}

export interface TextOptions {
  readonly mask: string;
  readonly isSecretName: (name: string) => boolean;
  /** Names of the user's own, which are looked for in text as well. */
  readonly ownNames: readonly string[];
  readonly valuePatterns: readonly RegExp[];
  readonly secrets: readonly string[];
}

/** A name of three characters, a sign and one more: no built-in rule finds a secret in a shorter text. */
const MIN_TEXT_LENGTH = 5;

/** A mask can make the text beside it look like something else: what was masked is looked at again, this often at most. */
const MAX_PASSES = 10;

/** Masks by shape, by assignment (`password=x`) and by declared secret inside strings. */
export function createTextRedactor(options: TextOptions): TextRedactor {
  const { mask } = options;
  const declared = declareSecrets(options.secrets, mask);
  const digitsDeclared = options.secrets.some((secret) => /^[\d.e+-]+$/.test(secret));
  const rules = createRules(options);
  /** A bit for each rule that can find something in a text. */
  const rulesFor = createGate(rules);
  const own = options.valuePatterns.map((pattern, index) => ({
    pattern: new RegExp(pattern.source, `g${pattern.flags.replace(/[gy]/g, "")}`),
    rule: `valuePatterns[${index}]`,
  }));

  function redactDeclared(text: string, note: NoteMasking | undefined): string {
    // Also in and beside the masks: a secret can hold a mask, or go on after it.
    return declared === undefined ? text : declared.mask(text, note && ((rule) => note("declared", rule)));
  }

  function redactOwn(text: string, note: NoteMasking | undefined): string {
    let redacted = text;
    for (const { pattern, rule } of own) {
      const before = redacted;
      try {
        redacted = outsideMask(before, mask, (part) => part.replace(pattern, () => mask));
      } catch {
        // A pattern that overflows the engine's stack has not looked at everything.
        redacted = mask;
      }
      if (redacted !== before) note?.("value", rule);
    }
    return redacted;
  }

  const isPlain = declared === undefined && own.length === 0;

  function redactInPasses(text: string, foundFirst: number, note: NoteMasking | undefined): string {
    let redacted = text;
    let found = foundFirst;
    /** The rules that leave the text as it is now. */
    let settled = 0;
    for (let pass = 0; pass < MAX_PASSES; pass++) {
      const before = redacted;
      if (!isPlain) redacted = redactOwn(redactDeclared(before, note), note);
      if (redacted !== before) {
        settled = 0;
        found = rulesFor(redacted);
      }
      for (let left = found & ~settled; left !== 0; left &= left - 1) {
        const rule = rules[31 - Math.clz32(left & -left)] as TextRule;
        const unmasked = redacted;
        redacted = rule.apply(unmasked);
        if (redacted !== unmasked) {
          settled = 0;
          note?.("value", rule.name);
        }
        if (redacted === unmasked || rule.isSettled?.()) settled |= left & -left;
      }
      // What was masked and is settled has no hints that were not there before.
      if (redacted === before || (isPlain && (found & ~settled) === 0)) return redacted;
      found = rulesFor(redacted);
    }
    // Only a pattern of the user's can find something new in its own result for ever.
    return mask;
  }

  return {
    declaresNumbers: digitsDeclared,
    declaresNumber: (value) => digitsDeclared && (declared as DeclaredSecrets).areIn(String(value)),
    redact(text, note) {
      // Engines make so short a function part of the walk that calls it.
      const found = rulesFor(text);
      return isPlain && found === 0 ? text : redactInPasses(text, found, note);
    },
  };
}

interface TextRule extends Hinted {
  readonly name: string;
  apply(text: string): string;
  /** Whether to apply it again would certainly change nothing, and its masks bring no hints. */
  isSettled?(): boolean;
}

function createRules({ mask, isSecretName, ownNames }: TextOptions): TextRule[] {
  const rules = builtInPatterns().map((shape) => createShapeRule(shape, mask));
  // After the blocks, whose text holds names; before the shapes, so that a whole `Authorization` line is one secret.
  const { hints, mask: apply, isSettled } = createAssignmentMasker(mask, isSecretName, ownNames);
  rules.splice(1, 0, { name: "assignment", hints, apply, isSettled });
  return rules;
}

function createShapeRule(
  { name, hints, hintsInMatch, needs = "", pattern, accept = () => true }: ValuePattern,
  mask: string,
): TextRule {
  function replace(match: string, ...more: (string | number)[]): string {
    const kept = typeof more[0] === "string" ? more[0] : "";
    const [offset, text] = more.slice(-2) as [number, string];
    const secret = match.slice(kept.length);
    // Masked before. A mask may be longer than the match: it can have characters that end a secret.
    if (secret.length <= mask.length && text.startsWith(mask, offset + kept.length)) return match;
    return accept(secret, kept) ? kept + mask : match;
  }
  function apply(text: string): string {
    if (!text.includes(needs)) return text;
    // Most candidates are none, and to test is cheaper than to replace nothing.
    pattern.lastIndex = 0;
    return pattern.test(text) ? text.replace(pattern, replace) : text;
  }
  return { name, hints, hintsInMatch, apply };
}

/** Masks of earlier passes are left alone, so that redacting twice changes nothing. */
function outsideMask(text: string, mask: string, redact: (part: string) => string): string {
  return text.includes(mask) ? text.split(mask).map(redact).join(mask) : redact(text);
}

/** Something with pieces, one of which is in every text that it concerns. */
export type Hinted = Pick<ValuePattern, "hints" | "hintsInMatch">;

/**
 * One pass that says which rules could match at all: a bit for each. It hashes every three characters and looks up which rules
 * have such a hint, which costs about a nanosecond for a character where the rules themselves would cost a hundred.
 */
export function createGate(rules: readonly Hinted[]): (text: string) => number {
  const classes = new Uint8Array(128);
  for (let letter = 0; letter < 26; letter++) {
    classes[0x61 + letter] = letter + 1;
    classes[0x41 + letter] = letter + 1;
  }
  for (let digit = 0x30; digit <= 0x39; digit++) classes[digit] = 27;
  for (const [index, character] of [..." -_/"].entries()) classes[character.charCodeAt(0)] = 28 + index;
  for (const space of "\t\n\r") classes[space.charCodeAt(0)] = 28;

  const bits = new Uint32Array(32768);
  // A character that is not ASCII passes for one that is: at worst a rule is tried in vain.
  const next = (hash: number, code: number) => ((hash << 5) | (classes[code & 127] as number)) & 32767;
  rules.forEach((rule, index) => {
    for (const hint of rule.hints) {
      let hash = 0;
      for (let place = 0; place < 3; place++) hash = next(hash, hint.charCodeAt(place));
      bits[hash] = (bits[hash] as number) | (1 << index);
    }
  });
  const last = rules.length - 1;
  const hintsOfLast = rules[last]?.hintsInMatch ?? 1;

  return (text) => {
    // Engines look up what is outside a function every time, what is inside once: a fifth faster.
    const kinds = classes;
    const rulesOf = bits;
    const end = text.length < MIN_TEXT_LENGTH ? 0 : text.length - 2;
    // The start counts as a space.
    let hash = 28;
    let found = 0;
    let count = 0;
    // Two characters at a time take a tenth less. The last two need not be looked at: every match goes on for so long after a hint.
    for (let place = 0; place < end; place += 2) {
      const odd = (hash << 5) | (kinds[text.charCodeAt(place) & 127] as number);
      hash = ((odd << 5) | (kinds[text.charCodeAt(place + 1) & 127] as number)) & 32767;
      const first = rulesOf[odd & 32767] as number;
      const second = rulesOf[hash] as number;
      found |= first | second;
      count += (first >>> last) + (second >>> last);
    }
    return count < hintsOfLast ? found & ~(1 << last) : found;
  };
}
