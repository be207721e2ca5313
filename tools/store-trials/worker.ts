import { appendFileSync } from "node:fs";
import type { TrialJob, TrialModule, TrialPorts } from "./trial.ts";

/**
 * A process of a trial: does its job over a real store until it is killed, and says in a file what it has begun and what
 * it was told. The file stands for the outside world: it outlives the process, and knows nothing of the store.
 */
const job = JSON.parse(process.argv[2]!) as TrialJob;
const { execute, createSystemClock, open } = (await import(job.module)) as TrialModule;
const note = (...words: (string | number)[]) => appendFileSync(job.file, `${words.join(" ")}\n`);
const nowMs = () => performance.timeOrigin + performance.now();

/** This process's clock, which may be wrong by as much as the job says. */
const machine = createSystemClock();
const clock = { ...machine, now: () => machine.now() + (job.clockErrorMs ?? 0) };
const ports = await open(job.url, job.place, clock);

if (job.kind === "keys") await runKeys(ports);
else if (job.kind === "limit") await runLimit(ports);
else await runSwitch(ports);
await ports.close();
note("end");

/** Executes every key once, several at a time. */
async function runKeys({ idempotencyStore }: TrialPorts): Promise<void> {
  const keys = [...(job.keys ?? [])];
  const policy = {
    idempotency: { enabled: true, leaseMs: job.leaseMs ?? 500, ttlMs: 86_400_000 },
    timeout: { portTimeoutMs: 2000 },
  };
  const one = async () => {
    for (let key = keys.shift(); key !== undefined; key = keys.shift()) {
      const begun = key;
      const report = await execute(
        { action: "ACT", actions: [{ action: "ACT", id: key, idempotency_key: key }] },
        {},
        policy,
        async () => {
          note("begun", begun);
          await new Promise((resolve) => setImmediate(resolve));
          return { ok: true, value: begun };
        },
        { idempotencyStore, clock },
      );
      const [row] = report.actions;
      // A success that could not be stored was not acknowledged by the store.
      if (row!.status === "success" && row!.recordError === undefined) note(row!.replayed ? "replayed" : "done", key);
      else note("other", key, row!.reason);
      // A store that cannot be reached denies at once: the key is left for the next process.
      if (report.status === "denied") await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await Promise.all(Array.from({ length: job.inFlight ?? 8 }, one));
}

/** Starts as many dispatches as the limit lets it, until it is told to end. */
async function runLimit({ rateLimiter }: TrialPorts): Promise<void> {
  let isOver = false;
  void toldToEnd().then(() => {
    isOver = true;
  });
  const rateLimit = { global: { limit: job.limit!, windowMs: job.windowMs! } };
  const one = async () => {
    while (!isOver) {
      const report = await execute(
        { action: "ACT" },
        {},
        { rateLimit, timeout: { maxTotalTimeMs: 2000, portTimeoutMs: 1000 } },
        () => {
          note("start", nowMs());
          return { ok: true };
        },
        { rateLimiter, clock },
      );
      if (report.status === "denied") await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await Promise.all(Array.from({ length: job.inFlight ?? 4 }, one));
}

/** Says when it hears of a halt, until it is told to end. */
async function runSwitch({ killSwitch }: TrialPorts): Promise<void> {
  killSwitch.subscribe!(({ halted }) => process.send!({ halted, atMs: nowMs() }));
  await killSwitch.read();
  await toldToEnd();
}

async function toldToEnd(): Promise<void> {
  await new Promise<void>((resolve) => process.once("message", () => resolve()));
  process.disconnect();
}
