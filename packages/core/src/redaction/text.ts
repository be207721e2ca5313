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

/** No built-in rule finds a secret in a shorter text. */
const MIN_TEXT_LENGTH = 6;

/** A mask can make the text beside it look like something else: what was masked is looked at again, this often at most. */
const MAX_PASSES = 10;

/** Masks by shape, by assignment (`password=x`) and by declared secret inside strings. */
export function createTextRedactor(options: TextOptions): TextRedactor {
  const { mask } = options;
  const declared = declareSecrets(options.secrets);
  const digitsDeclared = options.secrets.some((secret) => /^[\d.e+-]+$/.test(secret));
  const rules = createRules(options);
  /** A bit for each rule that can find something in a text. */
  const rulesFor = createGate(rules);
  const own = options.valuePatterns.map((pattern, index) => ({
    pattern: new RegExp(pattern.source, `g${pattern.flags.replace(/[gy]/g, "")}`),
    rule: `valuePatterns[${index}]`,
  }));

  function redactDeclared(text: string, note: NoteMasking | undefined): string {
    if (declared === undefined) return text;
    return outsideMask(text, mask, (part) =>
      part.replace(declared.pattern, (found) => {
        note?.("declared", declared.ruleOf(found));
        return mask;
      }),
    );
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

  function redactShapes(text: string, hits: number, note: NoteMasking | undefined): string {
    let redacted = text;
    for (let left = hits; left !== 0; left &= left - 1) {
      const rule = rules[31 - Math.clz32(left & -left)] as TextRule;
      if (redacted.length < rule.minLength) continue;
      const before = redacted;
      redacted = rule.apply(before);
      if (redacted !== before) note?.("value", rule.name);
    }
    return redacted;
  }

  const isPlain = declared === undefined && own.length === 0;
  const minLength = isPlain ? MIN_TEXT_LENGTH : 0;

  return {
    declaresNumbers: digitsDeclared,
    declaresNumber: (value) => digitsDeclared && String(value).search((declared as DeclaredSecrets).pattern) >= 0,
    redact(text, note) {
      if (text.length < minLength) return text;
      let redacted = text;
      for (let pass = 0; pass < MAX_PASSES; pass++) {
        const before = redacted;
        if (!isPlain) redacted = redactOwn(redactDeclared(before, note), note);
        const hits = redacted.length < MIN_TEXT_LENGTH ? 0 : rulesFor(redacted);
        if (hits !== 0) redacted = redactShapes(redacted, hits, note);
        if (redacted === before) return redacted;
      }
      // Only a pattern of the user's can find something new in its own result for ever.
      return mask;
    },
  };
}

interface TextRule extends Hinted {
  readonly name: string;
  readonly minLength: number;
  apply(text: string): string;
}

function createRules({ mask, isSecretName, ownNames }: TextOptions): TextRule[] {
  const rules = builtInPatterns().map((shape) => createShapeRule(shape, mask));
  const assignments = createAssignmentMasker(mask, isSecretName, ownNames);
  // After the blocks, whose text holds names; before the shapes, so that a whole `Authorization` line is one secret.
  rules.splice(1, 0, { name: "assignment", minLength: 0, hints: assignments.hints, apply: assignments.mask });
  return rules;
}

function createShapeRule(
  { name, hints, needs, minLength = 0, pattern, accept = () => true }: ValuePattern,
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
    if (needs !== undefined && !text.includes(needs)) return text;
    // Most candidates are none, and to test is cheaper than to replace nothing.
    pattern.lastIndex = 0;
    return pattern.test(text) ? text.replace(pattern, replace) : text;
  }
  return { name, minLength, hints, apply };
}

/** Masks of earlier passes are left alone, so that redacting twice changes nothing. */
function outsideMask(text: string, mask: string, redact: (part: string) => string): string {
  return text.includes(mask) ? text.split(mask).map(redact).join(mask) : redact(text);
}

/** Something with pieces, one of which is in every text that it concerns. */
export type Hinted = Pick<ValuePattern, "hints">;

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

  return (text) => {
    // Engines look up what is outside a function every time, what is inside once: a fifth faster.
    const kinds = classes;
    const rulesOf = bits;
    const { length } = text;
    let hash = 0;
    let found = 0;
    for (let place = 0; place < length; place++) {
      hash = ((hash << 5) | (kinds[text.charCodeAt(place) & 127] as number)) & 32767;
      found |= rulesOf[hash] as number;
    }
    return found;
  };
}
