import { openSync, writeSync } from "node:fs";
import { type ExecutionPolicyInput, execute } from "@eoc/core";
import { createLocalRuntime } from "../../src/index.js";

/*
 * Executes under a shared rate limit until it is told to stop, and writes down when each dispatch began, on the machine's own
 * monotonic clock. Arguments: the file, the log, the limit, the window.
 */

const [file, logPath, limit, windowMs] = process.argv.slice(2) as [string, string, string, string];
const log = openSync(logPath, "a");
const startedMs = Date.now();
const runtime = await createLocalRuntime(file, { busyTimeoutMs: 800 });
// The one whose wall clock steps asks again and again, so that a window which a step had ended would show.
const isStepping = process.env["EOC_STEP_WALL"] !== undefined;
const policy: ExecutionPolicyInput = {
  rateLimit: {
    global: { limit: Number(limit), windowMs: Number(windowMs) },
    onExceeded: isStepping ? "deny" : "wait",
  },
  timeout: { maxTotalTimeMs: 10_000 },
};

let isStopping = false;
process.on("message", () => {
  isStopping = true;
});

const lane = async () => {
  while (!isStopping) {
    await execute(
      { action: "ACT" },
      {},
      policy,
      async () => {
        writeSync(log, `${process.hrtime.bigint()} ${process.pid}\n`);
        return { ok: true };
      },
      runtime,
    );
    if (isStepping) await new Promise((resolve) => setTimeout(resolve, 2));
  }
};
process.send!("ready");
await Promise.all(Array.from({ length: 3 }, lane));
await runtime.close();
process.send!({ wallMs: Date.now() - startedMs });
process.disconnect();
