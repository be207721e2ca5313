import { EocError } from "../errors.js";
import { createKeyJudge, type KeyScope } from "./key-names.js";
import { type PathStep, pointerTo, type RedactionEntry, type RedactionManifest, sortManifest } from "./manifest.js";
import { createTextRedactor, type NoteMasking, type TextRedactor } from "./text.js";

export interface RedactorOptions {
  /** More names whose values are masked whatever they are: `customer_ref` also means `customerRef` and `old-customer-refs`. */
  keys?: readonly string[];
  /** Names that are never masked for their name, in any case and with any separators. They beat everything else. */
  allowKeys?: readonly string[];
  /** More shapes of secrets, masked wherever they match in a string. Their running time is the caller's business. */
  valuePatterns?: readonly RegExp[];
  /** Exact secrets of at least four characters, masked wherever they occur, also base64-, hex-, URL- or JSON-encoded. */
  secrets?: readonly string[];
  /** What stands for a secret. @defaultValue `"[REDACTED]"` */
  mask?: string;
}

/** Masks secrets on copies (S9.3): never throws, never changes what it is given. */
export interface Redactor {
  /** A copy with every secret masked. Redacting a copy again changes nothing. */
  redact(value: unknown): unknown;
  /** The same copy, and what was masked in it. */
  redactWithManifest(value: unknown): { value: unknown; manifest: RedactionManifest };
}
