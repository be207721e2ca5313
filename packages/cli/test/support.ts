import { generateKeyPairSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  createManualKillSwitch,
  type ExecutionPolicyInput,
  type ExecutionReport,
  execute,
  type FinalDecisionInput,
  type KillSwitch,
} from "@eoc/core";
import {
  createScriptedExecutor,
  createVirtualClock,
  hangs,
  rejects,
  type ScriptedStep,
  succeeds,
  type VirtualClock,
} from "@eoc/testkit";
import { createJsonlJournal } from "@eoc/trace";
import { createEd25519Signer, createFileSink } from "@eoc/trace/node";
import { main } from "../src/index.js";

export interface Ran {
  code: number;
  out: string;
  err: string;
}

interface RunOptions {
  stdin?: string;
  isTTY?: boolean;
  env?: Record<string, string>;
  load?: (name: string) => Promise<unknown>;
  /** "system" is to ask the machine that the test runs on. */
  userName?: (() => string) | "system";
}

/** As of a user that the system has no name for. */
const nobody = (): never => {
  throw new Error("ENOENT: no such file or directory, uv_os_get_passwd");
};

/** Runs the command line as a process would, without one. */
export async function run(
  argv: readonly string[],
  { stdin = "", isTTY = false, env = {}, load, userName = nobody }: RunOptions = {},
): Promise<Ran> {
  let [out, err] = ["", ""];
  const code = await main(argv, {
    stdout: {
      isTTY,
      write(text) {
        out += text;
      },
    },
    stderr: {
      write(text) {
        err += text;
      },
    },
    stdin: (async function* () {
      yield new TextEncoder().encode(stdin.slice(0, 10));
      yield stdin.slice(10);
    })(),
    env,
    ...(load === undefined ? undefined : { load }),
    ...(userName === "system" ? undefined : { userName }),
  });
  return { code, out, err };
}

export const POLICY: ExecutionPolicyInput = { retry: { maxRetries: 1, initialBackoffMs: 50 }, onFailure: "continue" };

export const DECISION: FinalDecisionInput = {
  action: "ACT",
  actions: [
    { action: "ACT", id: "refund", idempotency_key: "refund-7" },
    { action: "EXIT", id: "close" },
  ],
};

interface Story {
  readonly steps: readonly ScriptedStep[];
  readonly killSwitch?: (clock: VirtualClock) => KillSwitch;
}

/** What can become of the decision. */
export const STORIES = {
  success: { steps: [rejects("busy", { afterMs: 20 }), succeeds(undefined, { afterMs: 30 }), succeeds()] },
  failed: { steps: [rejects("no", { retryable: false }), rejects("no", { retryable: false })] },
  partial: { steps: [succeeds(), rejects("no", { retryable: false })] },
  denied: {
    steps: [succeeds()],
    killSwitch: () => {
      const killSwitch = createManualKillSwitch();
      killSwitch.halt();
      return killSwitch;
    },
  },
  halted: {
    steps: [rejects("busy")],
    killSwitch: (clock) => {
      const killSwitch = createManualKillSwitch();
      clock.setTimer(() => killSwitch.halt(), 30);
      return killSwitch;
    },
  },
  unknown: { steps: [hangs(), succeeds()] },
} satisfies Record<string, Story>;

/** Executes the decision so, with a journal at `<folder>/journal.jsonl`. */
export async function tell(
  name: keyof typeof STORIES,
  folder: string,
  { maxBytes, policy = true }: { maxBytes?: number; policy?: boolean } = {},
): Promise<{ report: ExecutionReport; journal: string; head: string; checkpoints: string; publicKey: string }> {
  const story: Story = STORIES[name];
  const clock = createVirtualClock({ startMs: 1_700_000_000_000 });
  const journalPath = join(folder, "journal.jsonl");
  const sink = createFileSink(journalPath, { fsync: "never", ...(maxBytes === undefined ? undefined : { maxBytes }) });
  const keys = generateKeyPairSync("ed25519");
  const checkpoints: string[] = [];
  const journal = createJsonlJournal(sink, {
    ...(policy ? { policy: POLICY } : undefined),
    checkpoints: {
      sink: { append: (line) => void checkpoints.push(`${line}\n`) },
      signer: createEd25519Signer(keys.privateKey),
      clock,
    },
  });
  const killSwitch = story.killSwitch?.(clock);
  const executor = createScriptedExecutor(story.steps, { clock });
  const options = {
    clock,
    journal,
    executionId: `${name}-1`,
    ...(killSwitch === undefined ? undefined : { killSwitch }),
  };
  const report = await clock.run(() => execute(DECISION, {}, POLICY, executor, options));
  await journal.checkpoint();
  await sink.close();
  const { seq, hash } = journal.head();
  const publicPem = keys.publicKey.export({ type: "spki", format: "pem" }) as string;
  return {
    report,
    journal: journalPath,
    head: `${seq}:${hash}`,
    checkpoints: write(folder, "checkpoints.jsonl", checkpoints.join("")),
    publicKey: write(folder, "key.pem", publicPem),
  };
}

/** Writes a file and gives its path. */
export function write(folder: string, name: string, content: string | object): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

export const linesOf = (path: string) => readFileSync(path, "utf8").split(/(?<=\n)/);
