import { checkWord } from "./check-option.js";

/**
 * Who reads a trace. `reference`: readers that know only the reference's keys and words. `extended`: those who also know what
 * EOC adds.
 */
export type TraceProfile = "extended" | "reference";

/** @throws EocError `invalid_option` for anything but the two profiles: a misspelt one must not quietly write the wrong form */
export function inReferenceProfile(profile: TraceProfile = "extended"): boolean {
  checkWord("profile", profile, ["extended", "reference"]);
  return profile === "reference";
}

export function wholeMs(ms: number): number;
export function wholeMs(ms: number | undefined): number | null;
/** Milliseconds as the contract writes them: integers, cut off as in the reference; `null` for none. */
export function wholeMs(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.trunc(ms);
}
