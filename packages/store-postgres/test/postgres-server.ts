import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { chown } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import pg from "pg";
import { freePort } from "../../../tools/store-trials/free-port.ts";

/** A PostgreSQL of our own, on loopback, in a directory that goes with it. */
export interface PostgresServer {
  readonly url: string;
  readonly port: number;
  /** All its processes at once, as when the power fails. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Shuts it down in order, and starts it again as a replica that hears of nothing. */
  becomeReplica(): Promise<void>;
  /** Stops it and deletes what it kept. */
  remove(): Promise<void>;
}

const CANDIDATES = [
  process.env["EOC_POSTGRES_BIN"] ?? "",
  ...(existsSync("/usr/lib/postgresql")
    ? readdirSync("/usr/lib/postgresql")
        .sort((a, b) => Number(b) - Number(a))
        .map((version) => `/usr/lib/postgresql/${version}/bin`)
    : []),
  ...(process.env["PATH"] ?? "").split(delimiter),
].filter((folder) => folder !== "");

/** Where `initdb` and `postgres` are; undefined when this machine has none. */
export function findPostgres(): string | undefined {
  return CANDIDATES.find((folder) => ["initdb", "postgres"].every((name) => existsSync(join(folder, name))));
}

/** The server refuses to run as root: then it runs as somebody who may do less. */
export function unprivileged(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  for (const name of ["postgres", "nobody"]) {
    try {
      const id = (flag: string) => Number(execFileSync("id", [flag, name], { stdio: ["ignore", "pipe", "ignore"] }));
      return { uid: id("-u"), gid: id("-g") };
    } catch {
      // The next.
    }
  }
  return {};
}

/** What a server is besides its settings. */
export interface ServerShape {
  /** No file of it may grow beyond this, as on a disk that is full. Takes `prlimit`. */
  readonly largestFileBytes?: number;
}

/** Makes and starts a server; fsync is on unless `settings` say otherwise. */
export async function startPostgres(
  bin: string,
  settings: Readonly<Record<string, string>> = {},
  { largestFileBytes }: ServerShape = {},
): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), "eoc-postgres-"));
  const data = join(folder, "data");
  const as = unprivileged();
  if (as.uid !== undefined) await chown(folder, as.uid, as.gid!);
  const initdb = [
    "-D",
    data,
    "-U",
    "postgres",
    "-A",
    "trust",
    "-E",
    "UTF8",
    "--locale=C",
    "--no-sync",
    "--wal-segsize=1",
  ];
  execFileSync(join(bin, "initdb"), initdb, { ...as, cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  const port = await freePort();
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const flags = Object.entries({
    port: String(port),
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    max_connections: "400",
    shared_buffers: "64MB",
    ...settings,
  }).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  let child: ChildProcess | undefined;
  let ended = Promise.resolve();

  const start = async () => {
    const server = [join(bin, "postgres"), "-D", data, ...flags];
    const limit = largestFileBytes === undefined ? [] : ["prlimit", `--fsize=${largestFileBytes}`];
    const [command, ...rest] = [...limit, ...server];
    const begun = spawn(command!, rest, { ...as, cwd: folder, stdio: "ignore" });
    child = begun;
    // A program that ends early takes its server along.
    const end = () => begun.kill("SIGQUIT");
    process.once("exit", end);
    begun.once("exit", () => process.removeListener("exit", end));
    ended = new Promise((resolve) => begun.once("exit", () => resolve()));
    await untilItAnswers(url, () => begun.exitCode !== null);
  };
  const stop = async (signal: NodeJS.Signals) => {
    child?.kill(signal);
    await ended;
  };
  await start();
  return {
    url,
    port,
    start,
    async kill() {
      // Stopped first, so that it forks nobody while they are counted.
      child!.kill("SIGSTOP");
      const pids = [child!.pid!, ...childrenOf(child!.pid!)];
      for (const pid of pids) {
        try {
          process.kill(pid, "SIGKILL");
        } catch {
          // Gone by itself.
        }
      }
      await ended;
      await untilGone(pids);
    },
    async becomeReplica() {
      await stop("SIGINT");
      writeFileSync(join(data, "standby.signal"), "");
      if (as.uid !== undefined) await chown(join(data, "standby.signal"), as.uid, as.gid!);
      await start();
    },
    async remove() {
      await stop("SIGQUIT");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function childrenOf(pid: number): number[] {
  try {
    return execFileSync("pgrep", ["-P", String(pid)], { encoding: "utf8" })
      .split("\n")
      .filter(Boolean)
      .map(Number);
  } catch {
    return [];
  }
}

async function untilGone(pids: readonly number[]): Promise<void> {
  const isGone = (pid: number) => {
    try {
      process.kill(pid, 0);
      return false;
    } catch {
      return true;
    }
  };
  while (!pids.every(isGone)) await new Promise((resolve) => setTimeout(resolve, 5));
}

export async function untilItAnswers(url: string, hasEnded: () => boolean): Promise<void> {
  for (;;) {
    const client = new pg.Client({ connectionString: url });
    client.on("error", () => {});
    try {
      await client.connect();
      await client.query("SELECT 1");
      await client.end();
      return;
    } catch (error) {
      if (hasEnded()) throw new Error("the server ended as it was started", { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
