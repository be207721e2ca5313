import { type Trail, Violation } from "./trail.js";

/** What has to be so, by the words in which a violation is told. */
export type Facts<Args extends unknown[]> = Readonly<Record<string, (...args: Args) => boolean>>;

/** Throws a {@link Violation} that names the first fact that is not so. */
export function hold<Args extends unknown[]>(trail: Trail | undefined, facts: Facts<Args>, ...args: Args): void {
  for (const fact in facts) if (!facts[fact]!(...args)) throw new Violation(fact, trail);
}
