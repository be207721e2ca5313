import type { Work } from "../contest.ts";
import { Results } from "./results.ts";

/** What the shows of a work look at. */
export interface Wanted {
  readonly contestants: ReadonlySet<string>;
  /** Those of whom more than CPU time is looked at. */
  readonly measuredBeyondTime: ReadonlySet<string>;
}

/** Results that hold nothing and remember what they were asked for. */
class Asked extends Results {
  readonly names = new Set<string>();
  readonly beyondTime = new Set<string>();

  override ratio(name: string, other: string): number {
    this.names.add(name).add(other);
    return 0;
  }

  override cpuNs(name: string): number {
    this.names.add(name);
    return 0;
  }

  override bytes(name: string): number {
    return this.gauge(name);
  }

  override gauge(name: string): number {
    this.names.add(name);
    this.beyondTime.add(name);
    return 0;
  }
}

/** Finds out by asking the shows. */
export function wantedBy(work: Work): Wanted {
  const asked = new Asked(work.name);
  for (const { value } of work.shows) value(asked);
  return { contestants: asked.names, measuredBeyondTime: asked.beyondTime };
}
