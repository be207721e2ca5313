import { EocError } from "../errors.js";

/** Characters that a declared secret must have: anything shorter would mask innocent text. */
const MIN_SECRET_LENGTH = 4;

/** A base64 form with its uncertain ends cut off is used only from this length on: shorter ones occur in ordinary text. */
const MIN_FRAGMENT_LENGTH = 8;

export interface DeclaredSecrets {
  /** Finds every form of every secret, the longest first. */
  readonly pattern: RegExp;
  /** The rule name of what the pattern found, such as `secrets[0]` or `secrets[0]:base64`. */
  ruleOf(found: string): string;
}

/**
 * The declared secrets and what they look like encoded: base64 and base64url (at any offset inside a longer text), hex, URL- and
 * form-encoded, and escaped as in JSON. Throws an `EocError` (`invalid_option`) that does not repeat the secret.
 */
export function declareSecrets(secrets: readonly string[]): DeclaredSecrets | undefined {
  const rules = new Map<string, string>();
  secrets.forEach((secret, index) => {
    if (secret.length < MIN_SECRET_LENGTH) {
      throw new EocError("invalid_option", `secrets[${index}] has fewer than ${MIN_SECRET_LENGTH} characters`);
    }
    for (const [form, text] of formsOf(secret)) {
      if (!rules.has(text)) rules.set(text, form === "" ? `secrets[${index}]` : `secrets[${index}]:${form}`);
    }
  });
  if (rules.size === 0) return undefined;
  const longestFirst = [...rules.keys()].sort((a, b) => b.length - a.length);
  return {
    pattern: new RegExp(longestFirst.map((text) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")).join("|"), "g"),
    ruleOf: (found) => rules.get(found) as string,
  };
}

function formsOf(secret: string): (readonly [form: string, text: string])[] {
  const encoded = percentEncode(secret);
  const bytes = bytesOf(encoded);
  const hex = bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const forms: (readonly [string, string])[] = [
    ["", secret],
    ["json", JSON.stringify(secret).slice(1, -1)],
    ["url", encoded],
    ["url", encoded.replace(/%../g, (byte) => byte.toLowerCase())],
    ["url", encoded.replaceAll("%20", "+")],
    ["hex", hex],
    ["hex", hex.toUpperCase()],
  ];
  for (const text of base64Forms(bytes)) {
    forms.push(["base64", text], ["base64", text.replaceAll("+", "-").replaceAll("/", "_")]);
  }
  return forms;
}

/** UTF-8, percent-encoded; a lone surrogate becomes U+FFFD, as `TextEncoder` would have it. */
function percentEncode(text: string): string {
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, "\ufffd"));
}

function bytesOf(percentEncoded: string): number[] {
  const pieces = percentEncoded.match(/%..|[^%]/g) as string[];
  return pieces.map((piece) => (piece.length === 1 ? piece.charCodeAt(0) : Number.parseInt(piece.slice(1), 16)));
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
