import type { Effected, Intent } from "./effect-step.js";

/** What the driver holds of one action beside the machine. All of it comes from the record. */
export interface Track {
  intent?: Intent;
  /** Name of the permit that the dispatch is to use. */
  permit?: string;
  /** When the gates were asked. */
  gatesAt?: number;
  /** Fencing token of the key's claim. */
  token?: string | number;
  /** What the effect step said of the dispatch that the machine is about to command. */
  effected?: Effected;
  /** Of the last dispatch. */
  nonce?: string;
  /** The number of the timer that was last set for it. */
  timer: number;
  held?: { readonly json: unknown };
}
