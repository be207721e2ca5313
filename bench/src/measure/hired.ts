import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import type { Answer, Order } from "./protocol.ts";

/** What takes longer has hung. */
const PATIENCE_MS = 300_000;

const WORKER = join(import.meta.dirname, "worker.ts");

/** A contestant in a fresh process. */
export class Hired {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #work: string;
  /** What it wrote to its standard error. */
  #complaint = "";

  constructor(work: string, name: string, nodeFlags: readonly string[] = []) {
    this.name = name;
    this.#work = work;
    this.#child = fork(WORKER, [work, name], {
      execArgv: ["--disable-warning=ExperimentalWarning", ...nodeFlags],
      stdio: ["ignore", "inherit", "pipe", "ipc"],
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#complaint += text;
    });
  }

  /** Gives one order and waits for its answer. Rejects when the contestant got something wrong, or is gone. */
  async ask<A extends Answer["answer"]>(order: Order & { order: A }): Promise<Answer & { answer: A }> {
    const answer = await new Promise<Answer>((resolve) => {
      const fail = (message: string) => resolve({ answer: "failed", message });
      const limit = setTimeout(() => fail(`no answer within ${PATIENCE_MS} ms`), PATIENCE_MS);
      const gone = (code: number | null) => {
        clearTimeout(limit);
        const [error] = /^\w*Error: .*$/m.exec(this.#complaint) ?? [];
        fail(`its process ended with ${code}${error === undefined ? "" : `: ${error}`}`);
      };
      // Not on `exit`: what it complains of may come after it.
      this.#child.once("close", gone);
      this.#child.once("message", (message) => {
        this.#child.off("close", gone);
        clearTimeout(limit);
        resolve(message as Answer);
      });
      this.#child.send(order);
    });
    if (answer.answer === "failed") throw new Error(`${this.#work}, ${this.name}: ${answer.message}`);
    return answer as Answer & { answer: A };
  }

  dismiss(): void {
    this.#child.kill();
  }
}
