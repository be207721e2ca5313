/** What was measured of one contestant. */
export interface Measured {
  /** CPU nanoseconds per operation, one for each round. */
  readonly cpuNs: number[];
  /** Heap bytes that one operation allocates. */
  bytes: number | undefined;
  readonly gauges: Record<string, number>;
}

/** What was measured of one work. Ratios are taken inside a round, where all contestants met the same weather. */
export class Results {
  readonly work: string;
  readonly contestants = new Map<string, Measured>();

  constructor(work: string) {
    this.work = work;
  }

  of(name: string): Measured {
    let measured = this.contestants.get(name);
    if (measured === undefined) {
      measured = { cpuNs: [], bytes: undefined, gauges: {} };
      this.contestants.set(name, measured);
    }
    return measured;
  }

  /** Median CPU nanoseconds per operation. */
  cpuNs(name: string): number {
    return median(this.of(name).cpuNs);
  }

  /** The median of the rounds' ratios. */
  ratio(name: string, other: string): number {
    const others = this.of(other).cpuNs;
    return median(this.of(name).cpuNs.map((ns, round) => ns / (others[round] ?? Number.NaN)));
  }

  bytes(name: string): number {
    return this.of(name).bytes ?? Number.NaN;
  }

  gauge(name: string, gauge: string): number {
    return this.of(name).gauges[gauge] ?? Number.NaN;
  }
}

/** The middle of some numbers; NaN of none. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle]!;
  return sorted.length === 0 ? Number.NaN : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
