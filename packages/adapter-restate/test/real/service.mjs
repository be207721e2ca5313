// A service process for the tests with the real engine. Its outside world is a file: appended to and synced, so that
// what is in it happened, whoever dies next. At the moments that it was told of it says so and waits, to be killed or
// told to go on.
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import http2 from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";
import { createRestateExecution } from "@eoc/adapter-restate";
import { createManualKillSwitch, createMemoryIdempotencyStore } from "@eoc/core";
import { createEndpointHandler, service } from "@restatedev/restate-sdk";

const settings = JSON.parse(process.argv[2]);
const {
  ledger,
  port,
  stopAt = [],
  policy = {},
  executorMs = 0,
  reconciles = false,
  ledgerless = false,
  events,
  inactivityMs,
} = settings;

function write(file, line) {
  const fd = openSync(file, "a");
  writeSync(fd, `${JSON.stringify(line)}\n`);
  fsyncSync(fd);
  closeSync(fd);
}

const waiting = new Map();
const killSwitch = createManualKillSwitch();
process.on("message", ({ go, halt }) => {
  waiting.get(go)?.();
  if (halt) killSwitch.halt();
});
process.on("disconnect", () => process.exit());

/** Waits to be killed, at a moment that the test has asked for; once in the life of the test. */
async function moment(name) {
  if (!stopAt.includes(name) || existsSync(`${ledger}.${encodeURIComponent(name)}`)) return;
  write(`${ledger}.${encodeURIComponent(name)}`, name);
  await new Promise((resolve) => {
    waiting.set(name, resolve);
    process.send({ at: name });
  });
}

const hooks = [
  () => ({
    interceptor: {
      run: async (name, next) => {
        await moment(`${name}: before`);
        await next();
        await moment(`${name}: after`);
      },
    },
  }),
];

const execution = createRestateExecution({
  policy,
  executor: {
    execute: async (action, attempt) => {
      if (ledgerless) return { ok: true, value: { receipt: action.id } };
      write(ledger, { begun: action.id, attempt: attempt.attempt, of: attempt.executionId });
      await moment(`executor ${attempt.actionIndex}: before`);
      const ms = action.params.ms ?? executorMs;
      if (ms > 0) await sleep(ms, undefined, { signal: attempt.signal });
      if (action.params.rejects > attempt.attempt) return { ok: false, code: "not_yet" };
      write(ledger, { effect: action.id, attempt: attempt.attempt, of: attempt.executionId });
      await moment(`executor ${attempt.actionIndex}: after`);
      return { ok: true, value: { receipt: action.id } };
    },
    ...(reconciles && {
      reconcile: (action, attempt) => {
        const lines = readFileSync(ledger, "utf8")
          .split("\n")
          .filter(Boolean)
          .map((line) => JSON.parse(line));
        const applied = lines.some((line) => line.effect === action.id && line.of === attempt.executionId);
        return { state: applied ? "applied" : "not_applied" };
      },
    }),
  },
  ports: {
    ...(policy.idempotency?.enabled && { idempotencyStore: createMemoryIdempotencyStore() }),
    ...(settings.killSwitch && { killSwitch }),
    ...(events && { onEvent: (event) => write(events, event) }),
  },
  service: {
    hooks,
    retryPolicy: { initialInterval: 50, maxInterval: 200 },
    ...(inactivityMs && { inactivityTimeout: inactivityMs }),
  },
});

/** The same three actions as one would write them with the SDK alone. */
const byHand = service({
  name: "ByHand",
  handlers: {
    execute: async (ctx, { decision }) => {
      const done = [];
      for (const action of decision.actions) {
        done.push(await ctx.run(`act ${action.id}`, async () => ({ ok: true, value: { receipt: action.id } })));
      }
      return { done };
    },
  },
});

const handler = createEndpointHandler({ services: [execution, byHand], logger: () => {} });
http2.createServer(handler).listen(port, "127.0.0.1", () => process.send({ up: true }));
