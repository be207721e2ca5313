import { openSync, writeSync } from "node:fs";
import { type ExecutionPolicyInput, execute, type FinalDecisionInput } from "@eoc/core";
import { openFileSink } from "../../src/file/file-sink.js";
import type { FileCalls } from "../../src/file/line-file.js";
import { createJsonlJournal } from "../../src/index.js";

/*
 * Executes with a journal in a file until it is killed. What it did outside goes to a ledger, and what its journal acknowledged to
 * another file, both by plain synchronous writes, which a kill does not undo.
 */

const [journalPath, ledgerPath, acknowledgedPath, mode] = process.argv.slice(2) as [string, string, string, string];
const ledger = openSync(ledgerPath, "a");
const acknowledged = openSync(acknowledgedPath, "a");

/** As a disk may do it: half a line is there for a while. */
const inHalves: FileCalls = {
  async write(fd, bytes) {
    const half = Math.floor(bytes.length / 2);
    writeSync(fd, bytes, 0, half);
    await new Promise((resolve) => setTimeout(resolve, 1));
    writeSync(fd, bytes, half);
    return { bytesWritten: bytes.length };
  },
  fsync: async () => {},
};

const sink =
  mode === "halves"
    ? openFileSink(journalPath, { maxBytes: 8_000 }, inHalves)
    : openFileSink(journalPath, { maxBytes: 8_000, fsync: mode === "synced" ? "always" : "never" });
const appendAll = async (lines: readonly string[]) => {
  await sink.appendAll(lines);
  const { seq, hash } = JSON.parse(lines.at(-1)!) as { seq: number; hash: string };
  writeSync(acknowledged, `${JSON.stringify({ seq, hash })}\n`);
};
const journal = createJsonlJournal({ ...sink, appendAll });

const policy: ExecutionPolicyInput = {
  retry: { maxRetries: 2, initialBackoffMs: 1 },
  maxConcurrency: 2,
  onFailure: "continue",
};
const decision: FinalDecisionInput = {
  action: "ACT",
  actions: [
    { action: "ACT", id: "once" },
    { action: "ACT", id: "again", effect: "idempotent" },
    { action: "EXIT", id: "last" },
  ],
};

let calls = 0;
writeSync(1, "ready\n");
for (;;) {
  await execute(
    decision,
    {},
    policy,
    async ({ index, effect }, { executionId, attempt }) => {
      writeSync(ledger, `${JSON.stringify({ executionId, index, attempt })}\n`);
      calls++;
      if (calls % 3 === 0) await new Promise((resolve) => setTimeout(resolve, calls % 7));
      if (calls % 5 === 0) return { ok: false, code: "busy" };
      if (effect === "idempotent" && calls % 4 === 0) throw new Error("the reply is lost");
      return { ok: true };
    },
    { journal: journal.forExecution(decision, policy) },
  );
}
