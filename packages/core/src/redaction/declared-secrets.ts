import { EocError } from "../errors.js";

/** Characters that a declared secret must have: anything shorter would mask innocent text. */
const MIN_SECRET_LENGTH = 4;

/**
 * A base64 form with its uncertain ends cut off is used from this length on, which secrets of five bytes have. Chance meets such a form
 * once in 64^6 places; those of four bytes are as short as words, and would mask innocent text.
 */
const MIN_FRAGMENT_LENGTH = 6;

export interface DeclaredSecrets {
  /** Whether any form of any secret is in the text. */
  areIn(text: string): boolean;
  /**
   * The text with every form of every secret masked, and those that overlap by one mask. `note` is told the rules of what was found, such
   * as `secrets[0]` or `secrets[0]:base64`, but not of what is inside something longer.
   */
  mask(text: string, note?: (rule: string) => void): string;
}

/** What a secret can look like: a rule's name, a regular expression, and the length of the shortest text that this finds. */
type Form = readonly [rule: string, source: string, length: number];

/**
 * The declared secrets and what they look like encoded: base64 and base64url (at any offset inside a longer text, from five bytes on),
 * hex, URL- and form-encoded and as in JSON, whatever an encoder leaves as it is. Throws an `EocError` (`invalid_option`) that
 * does not repeat the secret, also where the mask would show it.
 */
export function declareSecrets(secrets: readonly string[], mask: string): DeclaredSecrets | undefined {
  const forms = new Map<string, Form>();
  secrets.forEach((secret, index) => {
    if (secret.length < MIN_SECRET_LENGTH) {
      throw new EocError("invalid_option", `secrets[${index}] has fewer than ${MIN_SECRET_LENGTH} characters`);
    }
    for (const form of formsOf(secret, `secrets[${index}]`)) {
      if (!forms.has(form[1])) forms.set(form[1], form);
    }
  });
  if (forms.size === 0) return undefined;
  const longestFirst = [...forms.values()].sort((a, b) => b[2] - a[2]);
  const pattern = new RegExp(longestFirst.map(([, source]) => source).join("|"), "g");
  const ofAnyLength = longestFirst
    .filter(([rule]) => /:(?:url|json)$/.test(rule))
    .map(([rule, source]) => [rule, new RegExp(source, "y")] as const);

  /** Only what has no certain length can go on for longer than the first that the pattern finds at a place. */
  function longestAt(text: string, start: number, end: number): readonly [rule: string | undefined, end: number] {
    let longest: readonly [string | undefined, number] = [forms.get(literally(text.slice(start, end)))?.[0], end];
    for (const [rule, form] of ofAnyLength) {
      form.lastIndex = start;
      if (form.test(text) && (form.lastIndex > longest[1] || longest[0] === undefined))
        longest = [rule, form.lastIndex];
    }
    return longest;
  }

  const declared: DeclaredSecrets = {
    areIn: (text) => text.search(pattern) >= 0,
    mask(text, note) {
      let masked = "";
      let end = 0;
      pattern.lastIndex = 0;
      for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
        const start = match.index;
        const [rule, endOfThis] = longestAt(text, start, pattern.lastIndex);
        if (endOfThis > end) {
          note?.(rule as string);
          if (start >= end) masked += text.slice(end, start) + mask;
          end = endOfThis;
        }
        // Another may begin inside this one.
        pattern.lastIndex = start + 1;
      }
      return end === 0 ? text : masked + text.slice(end);
    },
  };
  declared.mask(mask, (rule) => {
    throw new EocError("invalid_option", `mask contains ${rule}`);
  });
  return declared;
}

function formsOf(secret: string, rule: string): Form[] {
  const form = (name: string, text: string): Form => [rule + name, literally(text), text.length];
  const bytes = bytesOf(secret);
  const hex = hexOf(bytes);
  const forms: Form[] = [
    form("", secret),
    [`${rule}:json`, [...secret].map(inJson).join(""), JSON.stringify(secret).length - 2],
    [`${rule}:url`, [...secret].map(inUrl).join(""), secret.length],
    form(":hex", hex),
    form(":hex", hex.toUpperCase()),
  ];
  for (const text of base64Forms(bytes)) {
    forms.push(form(":base64", text), form(":base64", text.replaceAll("+", "-").replaceAll("/", "_")));
  }
  return forms;
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

/** Encoders differ in what they leave as it is, and in the case of the digits: every character may be encoded, or not. */
function inUrl(character: string): string {
  const raw = literally(character);
  if (/[\w.-]/.test(character)) return raw;
  const encoded = inEitherCase(hexOf(bytesOf(character)).replace(/../g, "%$&"));
  return `(?:${encoded}|${raw}${character === " " ? "|\\+" : ""})`;
}

/** Writers of JSON differ in what they escape: all that is not ASCII, or means something in HTML, or `/`. */
function inJson(character: string): string {
  if (/[\w.-]/.test(character)) return literally(character);
  const units = character.split("").map((unit) => unit.charCodeAt(0).toString(16).padStart(4, "0"));
  const escaped = units.map((digits) => `\\\\u${inEitherCase(digits)}`).join("");
  // A backslash never stands for itself, so that there is one way at most to read a text.
  return `(?:${escaped}|${character === "/" ? "\\\\?" : ""}${literally(JSON.stringify(character).slice(1, -1))})`;
}

function inEitherCase(digits: string): string {
  return digits.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
}

/** UTF-8; a lone surrogate becomes U+FFFD, as `TextEncoder` would have it. */
function bytesOf(text: string): number[] {
  const encoded = encodeURIComponent(text.replace(/\p{Surrogate}/gu, "\ufffd"));
  const pieces = encoded.match(/%..|[^%]/g) as string[];
  return pieces.map((piece) => (piece.length === 1 ? piece.charCodeAt(0) : Number.parseInt(piece.slice(1), 16)));
}

function hexOf(bytes: readonly number[]): string {
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The secret alone, and what is certain of it when 0, 1 or 2 bytes (modulo 3) go before and any go after. */
function base64Forms(bytes: readonly number[]): string[] {
  const alone = base64(bytes);
  const forms = [alone, alone.replace(/=+$/, "")];
  for (const before of [0, 1, 2]) {
    const text = base64([...new Array<number>(before).fill(0), ...bytes]);
    const whole = Math.floor(((before + bytes.length) * 8) / 6);
    const fragment = text.slice(Math.ceil((before * 8) / 6), whole);
    if (fragment.length >= MIN_FRAGMENT_LENGTH) forms.push(fragment);
  }
  return forms;
}

function base64(bytes: readonly number[]): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  let text = "";
  for (let index = 0; index < bytes.length; index += 3) {
    const [first = 0, second, third] = bytes.slice(index, index + 3);
    const group = (first << 16) | ((second ?? 0) << 8) | (third ?? 0);
    text += alphabet.charAt(group >> 18) + alphabet.charAt((group >> 12) & 63);
    text += second === undefined ? "=" : alphabet.charAt((group >> 6) & 63);
    text += third === undefined ? "=" : alphabet.charAt(group & 63);
  }
  return text;
}
