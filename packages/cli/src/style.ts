import type { CliIo } from "./io.js";
import { wantsColour } from "./io.js";

/** Colours words that say the same without. */
export function verdictStyle(io: CliIo): (verdict: string) => string {
  if (!wantsColour(io)) return (verdict) => verdict;
  return (verdict) => {
    const code = verdict.startsWith("PASS") ? "32" : verdict.startsWith("FAIL") ? "1;31" : "33";
    return `\u001b[${code}m${verdict}\u001b[0m`;
  };
}
