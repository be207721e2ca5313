import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import { type ExecuteOptions, execute, type FinalDecisionInput } from "@eoc/core";
import { createJsonlJournal } from "@eoc/trace";
import { createLocalRuntime, type LocalRuntime, openSqliteJournals } from "../../src/index.js";

/*
 * Does one thing with a store, closes it, and then something more, with nothing else that would keep the process alive. Arguments: the
 * file, the name of the thing.
 */

const REQUEST = { fingerprint: "f", leaseMs: 60_000, nowMs: 0 };

/** Ends before any port but the switch is asked. */
const refused = async (runtime: LocalRuntime, decision: FinalDecisionInput, options: ExecuteOptions = {}) => {
  await execute(decision, {}, {}, () => ({ ok: true }), { ...runtime, ...options });
  await runtime.close();
};

/** Until the process ends. */
const held: DatabaseSync[] = [];
const holdFile = (file: string) => {
  const other = new DatabaseSync(file);
  other.exec("BEGIN IMMEDIATE");
  held.push(other);
};

const SCENES = {
  async gate(file) {
    const gates = [() => ({ allow: false, code: "no" })];
    await refused(await createLocalRuntime(file), { action: "ACT" }, { gates });
  },
  async hold(file) {
    await refused(await createLocalRuntime(file), { action: "HOLD" });
  },
  async notAllowed(file) {
    await refused(await createLocalRuntime(file), { action: "ACT", allowed: false });
  },
  async cancelled(file) {
    await refused(await createLocalRuntime(file), { action: "ACT" }, { signal: AbortSignal.abort() });
  },
  async subscribed(file) {
    const runtime = await createLocalRuntime(file);
    runtime.killSwitch.subscribe(() => {})();
    await runtime.close();
  },
  async stillSubscribed(file) {
    const runtime = await createLocalRuntime(file, { pollMs: 1 });
    runtime.killSwitch.subscribe(() => {});
    await runtime.close();
  },
  async asked(file) {
    const runtime = await createLocalRuntime(file, { journal: createJsonlJournal });
    void runtime.idempotencyStore.claim("key", REQUEST);
    void runtime.rateLimiter.acquire([{ key: "key", limit: 1, windowMs: 1 }], 0);
    await runtime.close();
  },
  async twice(file) {
    const runtime = await createLocalRuntime(file);
    void runtime.killSwitch.read();
    await Promise.all([runtime.close(), runtime.close()]);
    await runtime.close();
  },
  async oneOfTwo(file) {
    const runtimes = [await createLocalRuntime(file), await createLocalRuntime(file)];
    for (const { killSwitch } of runtimes) killSwitch.subscribe(() => {});
    for (const runtime of runtimes) await runtime.close();
  },
  async readJournals(file) {
    await (await createLocalRuntime(file)).close();
    const journals = await openSqliteJournals(file);
    void journals.names();
    await journals.close();
  },
  /** What was asked before is given up while it closes. */
  async overdue(file) {
    const runtime = await createLocalRuntime(file, { busyTimeoutMs: 60_000, timeoutMs: 600 });
    holdFile(file);
    runtime.idempotencyStore.claim("key", REQUEST).catch(() => {});
    await sleep(1100);
    await runtime.close();
  },
  async cannotOpen(file) {
    await createLocalRuntime(dirname(file)).catch(() => {});
    await createLocalRuntime(`${file}.nothing`, { create: false }).catch(() => {});
    writeFileSync(file, "a letter to the editor".repeat(1000));
    await createLocalRuntime(file).catch(() => {});
    await openSqliteJournals(file).catch(() => {});
  },
  async journalInUse(file) {
    const runtime = await createLocalRuntime(file, { journal: createJsonlJournal });
    await createLocalRuntime(file, { journal: createJsonlJournal }).catch(() => {});
    await runtime.close();
  },
  async deadThread(file) {
    let worker: Worker | undefined;
    process.once("worker", (started) => {
      worker = started;
    });
    const runtime = await createLocalRuntime(file);
    const claim = runtime.idempotencyStore.claim("key", REQUEST).catch(() => {});
    const terminated = worker!.terminate();
    await runtime.close();
    await Promise.all([claim, terminated]);
    await runtime.close();
  },
  /** The thread cannot remove its owner's file, and throws, while it closes. */
  async failingThread(file) {
    const runtime = await createLocalRuntime(file, { journal: createJsonlJournal });
    const owner = readdirSync(dirname(file)).find((name) => name.startsWith(`${basename(file)}-owner-`));
    rmSync(join(dirname(file), owner!));
    mkdirSync(join(dirname(file), owner!));
    await runtime.close();
  },
  /** Everything that can be waited for, one after the other. */
  async alone(file) {
    const runtime = await createLocalRuntime(file, { journal: createJsonlJournal });
    const { idempotencyStore, rateLimiter, killSwitch } = runtime;
    const verdict = await idempotencyStore.claim("key", REQUEST);
    const token = verdict.state === "claimed" ? verdict.token : 0;
    await idempotencyStore.start("key", token);
    await idempotencyStore.complete("key", token, { ttlMs: 1000 });
    await rateLimiter.acquire([{ key: "key", limit: 1, windowMs: 1 }], 0);
    await killSwitch.halt();
    await killSwitch.clear();
    const policy = { idempotency: { enabled: true }, rateLimit: { global: { limit: 1, windowMs: 200 } } };
    const decision = { action: "ACT", actions: [{ action: "ACT" }, { action: "ACT" }] } as FinalDecisionInput;
    await execute(decision, {}, policy, () => ({ ok: true }), runtime);
    for await (const _ of runtime.journalLines());
    await runtime.close();
  },
  async hangingExecutor(file) {
    const runtime = await createLocalRuntime(file, { pollMs: 1 });
    const policy = { timeout: { attemptTimeoutMs: 100, maxTotalTimeMs: 200 } };
    await execute({ action: "ACT" }, {}, policy, () => new Promise(() => {}), runtime);
    await runtime.close();
  },
} satisfies Record<string, (file: string) => Promise<void>>;

export type Scene = keyof typeof SCENES;

const [file, scene] = process.argv.slice(2) as [string, Scene];
await SCENES[scene](file);
console.log("went on");
process.exitCode = 7;
