const ESCAPED = "\u0001";

/**
 * `text` as SQLite can keep it, one to one: what UTF-8 cannot say (half a surrogate pair), or tools would cut (NUL), is written as
 * JSON behind a mark.
 */
export function storedText(text: string): string {
  const isPlain = text !== "" && !text.startsWith(ESCAPED) && !text.includes("\0") && isWellFormed(text);
  return isPlain ? text : ESCAPED + JSON.stringify(text);
}

/** The text that {@link storedText} was given. */
export function originalText(stored: string): string {
  return stored.startsWith(ESCAPED) ? (JSON.parse(stored.slice(1)) as string) : stored;
}

function isWellFormed(text: string): boolean {
  return !/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(text);
}
