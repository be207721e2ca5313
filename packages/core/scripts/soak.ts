// Endurance and size of the built package, printed: `node --expose-gc packages/core/scripts/soak.ts [executions]`.
import { getEventListeners } from "node:events";
import { createBulkhead, definePolicy, execute } from "../dist/index.js";

const gc = (globalThis as { gc?: () => void }).gc;
if (gc === undefined) throw new Error("run with --expose-gc");
const executions = Number(process.argv[2] ?? 1_000_000);
const policy = definePolicy();
const decision = { action: "ACT" as const, allowed: true, reasons: ["signal_detected"] };
const answer = async () => ({ ok: true as const });
const heap = () => {
  gc();
  gc();
  return process.memoryUsage().heapUsed;
};
const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;

async function sharedSignal(): Promise<void> {
  const { signal } = new AbortController();
  const running = Array.from({ length: 10_000 }, (_, i) =>
    execute(decision, {}, policy, i % 2 === 0 ? answer : () => ({ ok: true }), { signal }),
  );
  const during = getEventListeners(signal, "abort").length;
  await Promise.all(running);
  const after = getEventListeners(signal, "abort").length;
  console.log(
    `10,000 executions under one signal: ${during} listener meanwhile, ${after} after; ${timers()} timers left`,
  );
  if (after !== 0 || timers() !== 0) process.exitCode = 1;
}

async function longRun(): Promise<void> {
  for (let i = 0; i < 50_000; i++) await execute(decision, {}, policy, answer);
  const before = heap();
  const marks: string[] = [];
  for (let i = 1; i <= executions; i++) {
    await execute(decision, {}, policy, answer);
    if (i % Math.ceil(executions / 5) === 0) marks.push(`${((heap() - before) / 1024).toFixed(0)} kB`);
  }
  console.log(`${executions.toLocaleString("en")} executions in a row: heap grew by ${marks.join(", ")}`);
  if (heap() - before > 512 * 1024) process.exitCode = 1;
}

async function plans(): Promise<void> {
  const roomy = definePolicy({ timeout: { maxTotalTimeMs: 600_000 } });
  const costOf = async (actions: number) => {
    const plan = { ...decision, actions: Array.from({ length: actions }, () => ({ action: "ACT" as const })) };
    const rounds = Math.max(1, 100_000 / actions);
    const start = process.cpuUsage();
    for (let round = 0; round < rounds; round++) {
      const report = await execute(plan, {}, roomy, answer);
      if (report.successCount !== actions) throw new Error(report.status);
    }
    const { user, system } = process.cpuUsage(start);
    return (user + system) / rounds / actions;
  };
  await costOf(100);
  const [small, large] = [await costOf(100), await costOf(100_000)];
  console.log(
    `plans: ${small.toFixed(2)} µs per action at 100, ${large.toFixed(2)} µs at 100,000: × ${(large / small).toFixed(2)}`,
  );
  if (large > 3 * small) process.exitCode = 1;
}

async function sizes(): Promise<void> {
  const count = 100_000;
  let release: (result: { ok: true }) => void = () => {};
  const gate = new Promise<{ ok: true }>((resolve) => {
    release = resolve;
  });
  const measure = async (what: string, run: () => Promise<unknown>, finish: () => void) => {
    const running = new Array<Promise<unknown>>(count);
    const before = heap();
    for (let i = 0; i < count; i++) running[i] = run();
    await null;
    console.log(`${count.toLocaleString("en")} ${what}: ${((heap() - before) / count).toFixed(0)} bytes each`);
    finish();
    await Promise.all(running);
  };
  const hang = () => gate;
  await measure(
    "in flight at once",
    () => execute(decision, {}, policy, hang),
    () => release({ ok: true }),
  );
  const bulkhead = createBulkhead({ limit: 1 });
  bulkhead.tryEnter();
  await measure(
    "waiting in a bulkhead",
    () => execute(decision, {}, policy, answer, { bulkhead }),
    () => bulkhead.leave(),
  );
}

await sharedSignal();
await plans();
await sizes();
await longRun();
