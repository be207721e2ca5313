import { createLocalRuntime } from "../../src/index.js";

/*
 * Holds several connections to one file, and does through all of them at once what it is told. Arguments: the file, how many.
 */

const [file, count] = process.argv.slice(2) as [string, string];

export type RacerOrder =
  | { do: "claim"; key: string; leaseMs: number }
  | { do: "write"; key: string; tokens: readonly number[] }
  | { do: "complete" | "release"; key: string; token: number }
  | { do: "close" };

// Contention is the point here, not how long anybody waits for his turn.
const options = { busyTimeoutMs: 60_000, timeoutMs: 120_000 };
const runtimes = await Promise.all(Array.from({ length: Number(count) }, () => createLocalRuntime(file, options)));
const stores = runtimes.map(({ idempotencyStore }) => idempotencyStore);

process.on("message", async (order: RacerOrder) => {
  switch (order.do) {
    case "claim": {
      const { key, leaseMs } = order;
      const verdicts = await Promise.all(
        stores.map((store) => store.claim(key, { fingerprint: "f", leaseMs, nowMs: 0 })),
      );
      process.send!(verdicts);
      return;
    }
    case "write": {
      const { key, tokens } = order;
      // Every connection plays every zombie, with every write.
      const writes = stores.flatMap((store) =>
        tokens.flatMap((token) => [
          store.start(key, token),
          store.renew(key, token, 60_000),
          store.complete(key, token, { value: "zombie", ttlMs: 60_000 }),
          store.markUnknown(key, token),
          store.release(key, token),
        ]),
      );
      process.send!(await Promise.all(writes));
      return;
    }
    case "complete":
      process.send!(await stores[0]!.complete(order.key, order.token, { value: "owner", ttlMs: 60_000 }));
      return;
    case "release":
      process.send!(await stores[0]!.release(order.key, order.token));
      return;
    case "close":
      await Promise.all(runtimes.map((runtime) => runtime.close()));
      process.send!("closed");
      process.disconnect();
  }
});
process.send!("ready");
