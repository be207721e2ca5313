import { createLocalRuntime } from "../../src/index.js";

/* Uses a store, and neither closes it nor unsubscribes from its switch. Argument: the file. */

const runtime = await createLocalRuntime(process.argv[2]!);
runtime.killSwitch.subscribe(() => {});
await runtime.idempotencyStore.claim("key", { fingerprint: "f", leaseMs: 60_000, nowMs: 0 });
process.disconnect();
