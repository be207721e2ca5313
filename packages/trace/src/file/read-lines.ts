import { createReadStream } from "node:fs";

const NEW_LINE = 0x0a;
const CHUNK = 65_536;

/** How long a line of a journal may be, in bytes. Whoever reads a file in little memory has to stop somewhere. */
export const MAX_LINE_BYTES = 2 ** 24;

/** Stands where bytes are not what they should be. No JSON that can be hashed has it, so that nothing passes for a record. */
const NO_TEXT = "\ud800";

/** The lines of a file, each with its end; a last one without an end too. In little memory. */
export function readLines(path: string): AsyncGenerator<string, void, undefined> {
  return splitLines(createReadStream(path, { highWaterMark: CHUNK }));
}

/**
 * Bytes as lines, each with its end; a last one without an end too. Lines end at `\n` alone. A line that is not UTF-8, or that is
 * longer than {@link MAX_LINE_BYTES}, comes with an unpaired surrogate in it, the longer one cut off.
 */
export async function* splitLines(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<string, void, undefined> {
  let begun = new BegunLine();
  for await (const chunk of chunks) {
    const bytes = typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk;
    const end = bytes.lastIndexOf(NEW_LINE) + 1;
    let from = 0;
    if (end > 0 && begun.length > 0) {
      from = bytes.indexOf(NEW_LINE) + 1;
      begun.add(bytes.subarray(0, from - 1));
      yield `${begun.text()}\n`;
      begun = new BegunLine();
    }
    if (end > from) {
      for (const line of linesIn(bytes.subarray(from, end - 1))) yield `${line}\n`;
    }
    begun.add(bytes.subarray(end));
  }
  if (begun.length > 0) yield begun.text();
}

/** The text of one line. */
export function decodeLine(bytes: Uint8Array): string {
  const text = decode(bytes);
  if (!text.includes("\ufffd")) return text;
  // What cannot be decoded becomes the character that may also stand there: only writing it again tells them apart.
  const again = new TextEncoder().encode(text);
  const isSame = again.length === bytes.length && again.every((byte, index) => byte === bytes[index]);
  return isSame ? text : text.replaceAll("\ufffd", NO_TEXT);
}

/** A line of which there may be more to come. */
class BegunLine {
  length = 0;
  readonly #pieces: Uint8Array[] = [];

  add(bytes: Uint8Array): void {
    const room = Math.max(0, MAX_LINE_BYTES - this.length);
    this.length += bytes.length;
    // A copy: the memory of a chunk is the stream's to use again.
    if (room > 0 && bytes.length > 0) this.#pieces.push(bytes.slice(0, room));
  }

  text(): string {
    const kept = Math.min(this.length, MAX_LINE_BYTES);
    const bytes = new Uint8Array(kept);
    let at = 0;
    for (const piece of this.#pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return kept < this.length ? decode(bytes) + NO_TEXT : decodeLine(bytes);
  }
}

/** Lines that are whole, without the end of the last. Decoded all at once, which is several times as fast. */
function linesIn(bytes: Uint8Array): string[] {
  const lines = decode(bytes).split("\n");
  if (!lines.some((line) => line.includes("\ufffd"))) return lines;
  let from = 0;
  return lines.map(() => {
    const end = bytes.indexOf(NEW_LINE, from);
    const line = bytes.subarray(from, end < 0 ? bytes.length : end);
    from = end + 1;
    return decodeLine(line);
  });
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}
