import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { freePort } from "../../../tools/store-trials/free-port.ts";

/** A Redis of our own, on loopback, in a directory that goes with it. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  /** At once, as when the power fails. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Stops it and deletes what it kept. */
  remove(): Promise<void>;
}

/** Where `redis-server` is; undefined when this machine has none. */
export function findRedis(): string | undefined {
  const own = process.env["EOC_REDIS_SERVER"];
  if (own) return own;
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((folder) => join(folder, "redis-server"))
    .find((file) => existsSync(file));
}

/** Starts a server that writes every change to disk before it answers, unless `settings` say otherwise. */
export async function startRedis(bin: string, settings: Readonly<Record<string, string>> = {}): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), "eoc-redis-"));
  const port = await freePort();
  const flags = Object.entries({
    port: String(port),
    bind: "127.0.0.1",
    dir: folder,
    save: "",
    appendonly: "yes",
    appendfsync: "always",
    ...settings,
  }).flatMap(([name, value]) => [`--${name}`, value]);
  let child: ChildProcess;
  let ended = Promise.resolve();

  const start = async () => {
    const begun = spawn(bin, flags, { cwd: folder, stdio: "ignore" });
    child = begun;
    // A program that ends early takes its server along.
    const end = () => begun.kill("SIGKILL");
    process.once("exit", end);
    begun.once("exit", () => process.removeListener("exit", end));
    ended = new Promise((resolve) => begun.once("exit", () => resolve()));
    while ((await ask(port, "PING")) !== "+PONG") {
      if (begun.exitCode !== null) throw new Error("the server ended as it was started");
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const kill = async () => {
    child.kill("SIGKILL");
    await ended;
  };
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    start,
    kill,
    async remove() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Starts `count` masters of one cluster, and waits until they agree. */
export async function startCluster(bin: string, count: number): Promise<readonly RedisServer[]> {
  const nodes = await Promise.all(
    Array.from({ length: count }, () => startRedis(bin, { "cluster-enabled": "yes", appendfsync: "no" })),
  );
  const share = Math.ceil(16384 / count);
  for (const [index, { port }] of nodes.entries()) {
    await ask(port, `CLUSTER ADDSLOTSRANGE ${index * share} ${Math.min(16383, (index + 1) * share - 1)}`);
    await ask(port, `CLUSTER MEET 127.0.0.1 ${nodes[0]!.port}`);
  }
  const agrees = async ({ port }: RedisServer) => {
    const info = await ask(port, "CLUSTER INFO");
    return info?.includes("cluster_state:ok") && info.includes(`cluster_known_nodes:${count}`);
  };
  for (const node of nodes) while (!(await agrees(node))) await new Promise((resolve) => setTimeout(resolve, 20));
  return nodes;
}

/** One command on a connection of its own; the answer as it stands on the wire, undefined when there is none. */
export function ask(port: number, command: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(`${command}\r\n`));
    socket.once("data", (data) => {
      resolve(data.toString().trim());
      socket.destroy();
    });
    socket.once("error", () => resolve(undefined));
    socket.once("close", () => resolve(undefined));
  });
}
