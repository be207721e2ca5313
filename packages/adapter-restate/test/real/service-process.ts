import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ExecutionEvent, ExecutionPolicyInput } from "@eoc/core";
import { freePorts } from "./server.ts";

const SERVICE = fileURLToPath(new URL("service.mjs", import.meta.url));

export interface ServiceSettings {
  readonly policy?: ExecutionPolicyInput;
  /** Where it stops and says so, such as `effect 1: before`. */
  readonly stopAt?: readonly string[];
  readonly executorMs?: number;
  readonly reconciles?: boolean;
  /** There is one, which {@link ServiceProcess.halt} throws. */
  readonly killSwitch?: boolean;
  /** After so much silence the engine asks the handler to rest. */
  readonly inactivityMs?: number;
  /** The executor does nothing at all, like the handler by hand that it is measured beside. */
  readonly ledgerless?: boolean;
}

/** What the outside world has seen. */
export interface LedgerLine {
  readonly begun?: string;
  readonly effect?: string;
  readonly attempt: number;
  readonly of: string;
}

/** The service's process, restarted on the same port with the same outside world. */
export class ServiceProcess {
  readonly #settings: ServiceSettings;
  readonly #dir = mkdtempSync(join(tmpdir(), "eoc-service-"));
  #port = 0;
  #child: ChildProcess | undefined;
  #last: LedgerLine[] | undefined;
  #onStop: ((at: string) => void) | undefined;

  constructor(settings: ServiceSettings) {
    this.#settings = settings;
    writeFileSync(this.#ledger, "");
  }

  get #ledger(): string {
    return join(this.#dir, "ledger");
  }

  get uri(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async up(): Promise<void> {
    if (this.#port === 0) [this.#port] = (await freePorts(1)) as [number];
    for (const file of [this.#ledger, `${this.#ledger}.events`]) dropTornLine(file);
    const settings = {
      ...this.#settings,
      ledger: this.#ledger,
      ...(this.#settings.ledgerless ? undefined : { events: `${this.#ledger}.events` }),
      port: this.#port,
    };
    const child = spawn(process.execPath, [SERVICE, JSON.stringify(settings)], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#child = child;
    await new Promise<void>((resolve, reject) => {
      child.once("exit", (code) => reject(new Error(`the service ended with ${code}`)));
      child.on("message", (message: { up?: true; at?: string }) => {
        if (message.up) resolve();
        if (message.at !== undefined) this.#onStop?.(message.at);
      });
    });
  }

  /** Resolves when the service has stopped at one of its moments. */
  stopped(): Promise<string> {
    return new Promise((resolve) => {
      this.#onStop = resolve;
    });
  }

  halt(): void {
    this.#child!.send({ halt: true });
  }

  /** What the listener was shown, in every life of the process. */
  events(): ExecutionEvent[] {
    return linesOf<ExecutionEvent>(`${this.#ledger}.events`);
  }

  goOn(at: string): void {
    this.#child!.send({ go: at });
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  }

  async end(): Promise<void> {
    await this.kill();
    this.#last = this.ledger();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  /** What the outside world has seen; after the end, what it had seen by then. */
  ledger(): LedgerLine[] {
    if (this.#last !== undefined) return this.#last;
    return linesOf<LedgerLine>(this.#ledger);
  }

  /** How often an action was begun, and how often it happened. */
  counts(of?: string): { begun: (id: string) => number; effects: (id: string) => number } {
    const lines = this.ledger().filter((line) => of === undefined || line.of === of);
    return {
      begun: (id) => lines.filter(({ begun }) => begun === id).length,
      effects: (id) => lines.filter(({ effect }) => effect === id).length,
    };
  }

  /** Actions that were begun twice under one attempt, or twice at all where nothing said that they were not applied. */
  begunTwice(): string[] {
    const seen = new Set<string>();
    const twice: string[] = [];
    for (const { begun, attempt, of } of this.ledger()) {
      if (begun === undefined) continue;
      const name = `${of} ${begun} ${attempt}`;
      if (seen.has(name)) twice.push(name);
      seen.add(name);
    }
    return twice;
  }
}

/** A line that has no end is being written, or never will be: its process was killed in the middle of it. */
function linesOf<T>(file: string): T[] {
  const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as T);
}

/** What was not wholly written did not happen. */
function dropTornLine(file: string): void {
  if (existsSync(file)) truncateSync(file, readFileSync(file).lastIndexOf("\n") + 1);
}
