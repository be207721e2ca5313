import { openSync, writeSync } from "node:fs";
import { type ExecutionPolicyInput, execute, type FinalDecisionInput } from "@eoc/core";
import { createJsonlJournal } from "@eoc/trace";
import { createLocalRuntime } from "../../src/index.js";

/*
 * Executes with all the ports of one file until it is killed. What it did outside goes to a ledger, and what was acknowledged to it to
 * another file, both by plain synchronous writes, which a kill does not undo. Arguments: the file, the ledger, the acknowledgements,
 * the number of the first key.
 */

const [file, ledgerPath, acknowledgedPath, first] = process.argv.slice(2) as [string, string, string, string];
const ledger = openSync(ledgerPath, "a");
const acknowledged = openSync(acknowledgedPath, "a");
const runtime = await createLocalRuntime(file, { journal: createJsonlJournal, busyTimeoutMs: 900 });

const policy: ExecutionPolicyInput = {
  retry: { maxRetries: 0 },
  idempotency: { enabled: true, leaseMs: 300, ttlMs: 3_600_000 },
  rateLimit: { global: { limit: 1_000, windowMs: 1_000 } },
};

let calls = 0;
async function attempt(key: string): Promise<void> {
  const decision: FinalDecisionInput = { action: "ACT", actions: [{ action: "ACT", idempotency_key: key }] };
  const report = await execute(
    decision,
    {},
    policy,
    async (_, { idempotencyKey }) => {
      writeSync(ledger, `${idempotencyKey}\n`);
      const call = calls++;
      await new Promise((resolve) => setTimeout(resolve, call % 20));
      if (call % 11 === 0) throw new Error("the reply is lost");
      return { ok: true, value: `receipt of ${idempotencyKey}` };
    },
    runtime,
  );
  const [row] = report.actions;
  if (row?.status === "success" && report.recordError === undefined) writeSync(acknowledged, `${key}\n`);
}

process.send!("ready");
let next = Number(first);
const lane = async () => {
  for (;;) {
    const number = next++;
    await attempt(`key-${number}`);
    // Again, now or from another life: whatever became of it, it is not to be begun once more.
    await attempt(`key-${Math.max(0, number - ((number * 7) % 40))}`);
  }
};
await Promise.all(Array.from({ length: 6 }, lane));
