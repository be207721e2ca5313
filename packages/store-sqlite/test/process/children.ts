import { type ChildProcess, execFile, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "tsup";
import { threadSource } from "../../scripts/thread-source.ts";

const root = new URL("../../../..", import.meta.url).pathname;

/** In a process that is told so, the wall clock steps on by an hour, half a second after the start; in its threads too. */
const STEP = `if (process.env.EOC_STEP_WALL) {
  const now = Date.now, at = now() + 500;
  Date.now = () => now() + (now() > at ? 3600000 : 0);
}`;

/** Makes one file of a child and of the sources that it uses, as the package is built, and gives its path. */
export async function bundleChild(name: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "eoc-child-"));
  await build({
    entry: { [name]: join(root, `packages/store-sqlite/test/process/${name}.ts`) },
    outDir: folder,
    format: ["esm"],
    outExtension: () => ({ js: ".mjs" }),
    target: "node22",
    platform: "node",
    tsconfig: join(root, "tsconfig.json"),
    noExternal: [/^@eoc/, "zod", /^@noble/],
    removeNodeProtocol: false,
    define: { THREAD_SOURCE: JSON.stringify(`${STEP}${await threadSource()}`) },
    banner: { js: STEP },
    config: false,
    silent: true,
    clean: false,
  });
  return join(folder, `${name}.mjs`);
}

/** Runs a script to its end, without a channel or anything else that would keep it alive. */
export function runToEnd(script: string, args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((ended) => {
    const child = execFile(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", script, ...args],
      (_, out, err) => {
        ended({ code: child.exitCode ?? -1, out, err });
      },
    );
  });
}

const running = new Set<Child>();

/** Ends whatever a test has left behind. */
export async function killChildren(): Promise<void> {
  await Promise.all([...running].map((child) => child.kill()));
}

/** A child process that says one thing for each that it is told. */
export class Child {
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;
  #complaint = "";

  constructor(script: string, args: readonly string[], env: Record<string, string> = {}) {
    this.#process = fork(script, args, { env: { ...process.env, ...env }, stdio: ["ignore", "ignore", "pipe", "ipc"] });
    this.#exited = once(this.#process, "exit").then(() => running.delete(this));
    running.add(this);
    this.#process.stderr!.on("data", (chunk) => {
      this.#complaint += chunk;
    });
  }

  get pid(): number {
    return this.#process.pid!;
  }

  /** What it says next. Rejects when it ends without a word. */
  async hear<T>(): Promise<T> {
    const said = once(this.#process, "message").then(([message]) => message as T);
    const silent = this.#exited.then(() => {
      throw new Error(`the child has ended: ${this.#complaint}`);
    });
    return Promise.race([said, silent]);
  }

  /** Tells it something, and gives its answer. */
  ask<T>(message: object): Promise<T> {
    const answer = this.hear<T>();
    this.#process.send(message);
    return answer;
  }

  /** Rejects when it was not this that has ended it. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#exited;
    if (this.#process.signalCode !== "SIGKILL") throw new Error(`the child has ended: ${this.#complaint}`);
  }

  /** Resolves when it has ended by itself: nothing was left that kept it alive. */
  async ended(): Promise<void> {
    await this.#exited;
    if (this.#complaint !== "") throw new Error(this.#complaint);
  }
}
