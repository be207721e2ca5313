/** `text` on one line, with everything that does not show replaced by `�`: a file must not move the cursor or colour anything. */
export function printable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "\ufffd");
}
