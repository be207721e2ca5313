/** Puts colour around texts, or leaves them alone. */
export interface Style {
  readonly colour: boolean;
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  bad(text: string): string;
}

/** Colour on a terminal only; `NO_COLOR` and `FORCE_COLOR` decide otherwise, the latter last. */
export function wantsColour(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  const { FORCE_COLOR: force = "", NO_COLOR: no = "", TERM: term } = env;
  if (force !== "") return force !== "0" && force !== "false";
  return isTerminal && no === "" && term !== "dumb";
}

export function createStyle(colour: boolean): Style {
  const paint = (code: number) => (text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  return { colour, bold: paint(1), dim: paint(2), good: paint(32), bad: paint(31) };
}

/** Text from a file as it can be shown: without control and formatting characters, which a terminal might obey. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "?");
}

/** Words in lines of at most `width`; a longer word is cut. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [""];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1)!;
    const joined = last === "" ? cut(word, width) : `${last} ${word}`;
    if (joined.length <= width) lines[lines.length - 1] = joined;
    else lines.push(cut(word, width));
  }
  return lines;
}

/** At most `width` characters, the last of them `…` when there were more. */
export function cut(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text;
}
