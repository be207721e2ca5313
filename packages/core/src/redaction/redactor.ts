import { checkOptionNames } from "../check-option-names.js";
import { EocError } from "../errors.js";
import { createKeyJudge } from "./key-names.js";
import { createKeyMemory } from "./known-keys.js";
import { type RedactionEntry, type RedactionManifest, sortManifest } from "./manifest.js";
import { redactPlain } from "./plain-walk.js";
import { createTextRedactor } from "./text.js";
import { redactValue } from "./walk.js";

/** Options of {@link createRedactor}. */
export interface RedactorOptions {
  /** More names whose values are masked whatever they are: `customer_ref` also means `customerRef` and `old-customer-refs`. */
  keys?: readonly string[];
  /** Names that are never masked for their name, in any case and with any separators. They beat everything else. */
  allowKeys?: readonly string[];
  /** More shapes of secrets, masked wherever they match in a string. Their running time is the caller's business. */
  valuePatterns?: readonly RegExp[];
  /**
   * Exact secrets of at least four characters, masked wherever they occur, overlapping too. Also in hex, URL- or form-encoded, escaped as
   * in JSON (`\"`, `\/`, `\u003c`, `\u00e4`), and in base64: inside that of a longer text from five bytes on, and not across its line
   * breaks. Encoded once, not twice; letters A to Z, digits, `_`, `.` and `-` only as they are.
   */
  secrets?: readonly string[];
  /** What stands for a secret, and has no declared one in it. @defaultValue `"[REDACTED]"` */
  mask?: string;
}

/** Masks secrets on copies (S9.3): never throws, never changes what it is given. */
export interface Redactor {
  /** A copy with every secret masked. Redacting a copy again changes nothing. */
  redact(value: unknown): unknown;
  /** The same copy, and what was masked in it. */
  redactWithManifest(value: unknown): { value: unknown; manifest: RedactionManifest };
}

/**
 * Makes a {@link Redactor} that masks by key name (everything that the reference masks, and more), by the shape of values, by
 * assignments in text and by declared secret. Throws an `EocError` (`invalid_option`) that names the option, never the secret.
 */
export function createRedactor(options: RedactorOptions = {}): Redactor {
  checkOptionNames(options, { keys: true, allowKeys: true, valuePatterns: true, secrets: true, mask: true });
  const { keys: ownNames = [], allowKeys = [], valuePatterns = [], secrets = [], mask = "[REDACTED]" } = options;
  checkEach("keys", ownNames, isName, "is not a name with a letter or digit in it");
  checkEach("allowKeys", allowKeys, isName, "is not a name with a letter or digit in it");
  checkEach(
    "valuePatterns",
    valuePatterns,
    isUsefulPattern,
    "is not a regular expression that leaves the empty text alone",
  );
  checkEach("secrets", secrets, (secret) => typeof secret === "string", "is not a string");
  if (typeof mask !== "string" || mask === "") throw invalid("mask is not a string with something in it");

  const judge = createKeyJudge({ keys: ownNames, allowKeys });
  const text = createTextRedactor({
    mask,
    isSecretName: (name) => keys.isSecretName(name),
    ownNames,
    valuePatterns,
    secrets,
  });
  const keys = createKeyMemory(mask, judge, text.redact);
  // Twice, because a text that cannot be settled becomes one mask.
  const masks = `${mask} ${mask}`;
  if (text.redact(masks) !== masks) throw invalid("mask itself looks like a secret");

  const walk = { mask, keys, text };
  return {
    redact: (value) => redactPlain(walk, value),
    redactWithManifest(value) {
      const entries: RedactionEntry[] = [];
      return { value: redactValue(walk, value, entries), manifest: sortManifest(entries) };
    },
  };
}

function checkEach(
  option: string,
  items: readonly unknown[],
  accepts: (item: unknown) => boolean,
  complaint: string,
): void {
  if (!Array.isArray(items)) throw invalid(`${option} is not an array`);
  items.forEach((item, index) => {
    if (!accepts(item)) throw invalid(`${option}[${index}] ${complaint}`);
  });
}

function isName(item: unknown): boolean {
  return typeof item === "string" && /[\p{L}\p{N}]/u.test(item);
}

function isUsefulPattern(item: unknown): boolean {
  if (Object.prototype.toString.call(item) !== "[object RegExp]") return false;
  const { source, flags } = item as RegExp;
  return !new RegExp(source, flags).test("");
}

function invalid(message: string): EocError {
  return new EocError("invalid_option", message);
}
