import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ExecutionEvent, execute } from "@eoc/core";
import { createJsonlJournal, explainReport, renderTimeline, verifyJournal } from "@eoc/trace";
import { createFileSink, readJournalFile } from "@eoc/trace/node";

const folder = mkdtempSync(join(tmpdir(), "eoc-journal-"));
const sink = createFileSink(join(folder, "journal.jsonl"));
const journal = createJsonlJournal(sink);
const events: ExecutionEvent[] = [];
const onEvent = (event: ExecutionEvent) => void events.push(event);
const report = await execute({ action: "ACT" }, {}, {}, () => ({ ok: true }), { journal, onEvent });
await sink.close();

assert.equal(report.status, "success");
assert.match(renderTimeline(events), /success/);
assert.match(explainReport(report), /applied/);
const { ok, completeness } = await verifyJournal(readJournalFile(join(folder, "journal.jsonl")), {
  head: journal.head(),
});
assert.deepEqual([ok, completeness.verdict], [true, "PASS"]);
rmSync(folder, { recursive: true });
