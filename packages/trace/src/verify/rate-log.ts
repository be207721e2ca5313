import type { RateLimit, RateLimitPolicy } from "@eoc/core";

/** The dispatches of one execution that still count for its rate limits (S6.1). Holds no more than the limits allow. */
export class RateLog {
  readonly #starts = new Map<string, number[]>();

  /** Notes a dispatch and gives the limits that it breaks. `atMs` is a whole number, rounded down. */
  note({ global, perAction }: RateLimitPolicy, kind: string, atMs: number): RateLimit[] {
    const own = perAction !== undefined && Object.hasOwn(perAction, kind) ? perAction[kind] : undefined;
    return [
      ...(global !== undefined && this.#exceeds("global", global, atMs) ? [global] : []),
      ...(own !== undefined && this.#exceeds(`action:${kind}`, own, atMs) ? [own] : []),
    ];
  }

  #exceeds(key: string, { limit, windowMs }: RateLimit, atMs: number): boolean {
    const starts = this.#starts.get(key) ?? [];
    this.#starts.set(key, starts);
    // Windows are half-open: what lies a whole window apart does not count together. Rounding never makes that less.
    while (starts.length > 0 && atMs - starts[0]! >= Math.floor(windowMs)) starts.shift();
    const exceeds = starts.length >= limit;
    if (exceeds) starts.shift();
    starts.push(atMs);
    return exceeds;
  }
}
