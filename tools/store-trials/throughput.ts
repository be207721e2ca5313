/** Something to measure: one operation, told its number. */
export type Operation = (index: number) => Promise<unknown>;

/** No two operations of a process share a number. */
let index = 0;

/**
 * Operations per second of each contender, with so many in flight, in turns, so that whatever else the machine does hits
 * all alike: the median of the rounds.
 */
async function measureThroughput(
  contenders: Readonly<Record<string, Operation>>,
  { inFlight, roundMs, rounds }: { readonly inFlight: number; readonly roundMs: number; readonly rounds: number },
): Promise<Record<string, number>> {
  const rates = new Map(Object.keys(contenders).map((name) => [name, [] as number[]]));
  const measure = async (run: Operation): Promise<number> => {
    const begun = performance.now();
    let done = 0;
    const one = async () => {
      while (performance.now() - begun < roundMs) {
        await run(index++);
        done++;
      }
    };
    await Promise.all(Array.from({ length: inFlight }, one));
    return (done / (performance.now() - begun)) * 1000;
  };
  for (let round = -1; round < rounds; round++) {
    const entries = Object.entries(contenders);
    for (let place = 0; place < entries.length; place++) {
      const [name, run] = entries[(place + round + 1) % entries.length]!;
      const rate = await measure(run);
      // The first round warms up.
      if (round >= 0) rates.get(name)!.push(rate);
    }
  }
  return Object.fromEntries([...rates].map(([name, list]) => [name, median(list)]));
}

function median(values: readonly number[]): number {
  return Math.round([...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!);
}

/** Measures at 1 and 50 in flight, and prints each rate beside the first contender's. */
export async function printThroughput(contenders: Readonly<Record<string, Operation>>): Promise<void> {
  for (const inFlight of [1, 50]) {
    const rates = await measureThroughput(contenders, { inFlight, roundMs: 500, rounds: 9 });
    const [bare] = Object.values(rates);
    for (const [name, rate] of Object.entries(rates)) {
      const ratio = (rate / bare!).toFixed(2);
      console.log(
        `${String(inFlight).padStart(2)} in flight  ${name.padEnd(50)} ${String(rate).padStart(7)}/s  ${ratio}`,
      );
    }
  }
}
