/*
 * Ids and names come from outside. In a terminal they must neither move the cursor nor colour or reorder anything, and they must
 * take the columns that they are counted for.
 */

const HIDDEN = /[\p{C}\p{Zl}\p{Zp}]/gu;
const MARK = /^\p{M}$/u;
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}\p{Emoji_Presentation}]$/u;

/** `text` with everything that does not show replaced by `�`: control characters, direction marks, unpaired surrogates … */
export function printable(text: string): string {
  return text.replace(HIDDEN, "\ufffd");
}

/** Columns that a printable text takes in a terminal. */
export function columns(text: string): number {
  let count = 0;
  for (const char of text) count += MARK.test(char) ? 0 : WIDE.test(char) ? 2 : 1;
  return count;
}

/** `text` in exactly `width` columns: cut with `…`, or filled with spaces at its end, or at its start. */
export function fit(text: string, width: number, side: "start" | "end" = "end"): string {
  const cut = cutTo(text, width);
  const filling = " ".repeat(Math.max(0, width - columns(cut)));
  return side === "end" ? cut + filling : filling + cut;
}

/** `text` in at most `width` columns. */
export function cutTo(text: string, width: number): string {
  if (columns(text) <= width) return text;
  let cut = "";
  for (const char of text) {
    if (columns(cut + char) > width - 1) break;
    cut += char;
  }
  return `${cut}…`;
}
