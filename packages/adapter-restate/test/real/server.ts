import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** The engine's binary, from its package of this platform. Never the launcher, which reports installs. */
export function serverBinary(): string | undefined {
  const platform = `${process.platform}-${process.arch}`;
  try {
    const manifest = createRequire(import.meta.url).resolve(`@restatedev/restate-server-${platform}/package.json`);
    const binary = join(dirname(manifest), "bin", "restate-server");
    return existsSync(binary) ? binary : undefined;
  } catch {
    return undefined;
  }
}

/** Why tests with the real engine are skipped; on CI they must run. */
export function whyNoServer(): string | undefined {
  if (serverBinary() !== undefined) return undefined;
  if (process.env["CI"] === "true") throw new Error("CI has no restate-server: these tests must run there");
  return `no restate-server for ${process.platform}-${process.arch}`;
}

export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) => {
          server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Polls until `check` gives something: nothing of ours is slept for. Gives up after a minute. */
export async function until<T>(what: string, check: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const endsAt = performance.now() + 60_000;
  for (;;) {
    const seen = await new Promise<T | undefined>((done) => done(check())).catch(() => undefined);
    if (seen !== undefined) return seen;
    if (performance.now() > endsAt) throw new Error(`gave up waiting for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** How nodes of one cluster know each other. */
export interface ClusterSettings {
  readonly name: string;
  readonly nodes: number;
  readonly replication: number;
}

/** One node of the engine: on the loopback only, no telemetry, a base directory of its own that survives kills. */
export class RestateServer {
  readonly ingress: string;
  readonly admin: string;
  readonly nodeAddress: string;
  readonly #dir = mkdtempSync(join(tmpdir(), "eoc-restate-"));
  readonly #config: string;
  #child: ChildProcess | undefined;

  private constructor(config: (dir: string) => string, [ingress, admin, node]: readonly number[]) {
    this.ingress = `http://127.0.0.1:${ingress}`;
    this.admin = `http://127.0.0.1:${admin}`;
    this.nodeAddress = `http://127.0.0.1:${node}`;
    this.#config = join(this.#dir, "restate.toml");
    writeFileSync(this.#config, config(this.#dir));
  }

  static async start(): Promise<RestateServer> {
    const ports = await freePorts(3);
    const server = new RestateServer((dir) => configOf({ dir, ports, name: "node-1" }), ports);
    await server.up();
    return server;
  }

  static async startCluster({ name, nodes, replication }: ClusterSettings): Promise<RestateServer[]> {
    const ports = await freePorts(3 * nodes);
    const addresses = Array.from({ length: nodes }, (_, i) => `http://127.0.0.1:${ports[3 * i + 2]}`);
    const servers = addresses.map((_, i) => {
      const own = ports.slice(3 * i, 3 * i + 3);
      return new RestateServer(
        (dir) =>
          configOf({
            dir,
            ports: own,
            name: `node-${i + 1}`,
            cluster: { name, addresses, replication, first: i === 0 },
          }),
        own,
      );
    });
    await Promise.all(servers.map((server) => server.up()));
    await Promise.all(
      servers.map((server) => until("all nodes", async () => (await server.members()) === nodes || undefined)),
    );
    return servers;
  }

  /** Starts the node, on what it left when it was killed, and waits for its health endpoints. */
  async up(): Promise<void> {
    const log = openSync(join(this.#dir, "log"), "a");
    this.#child = spawn(serverBinary()!, ["--config-file", this.#config, "--no-logo"], {
      cwd: this.#dir,
      stdio: ["ignore", log, log],
      env: { ...process.env, RUST_BACKTRACE: "0", DO_NOT_TRACK: "1", RESTATE_DISABLE_TELEMETRY: "true" },
    });
    await until("the admin API", async () => (await fetch(`${this.admin}/health`)).ok || undefined);
    await until("the ingress", async () => (await fetch(`${this.ingress}/restate/health`)).ok || undefined);
  }

  /** As the machine's power failing: nothing is flushed, nothing is said. */
  async kill(): Promise<void> {
    const child = this.#child!;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  }

  /** Kills it and leaves nothing behind. */
  async end(): Promise<void> {
    await this.kill();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  /** Makes the service at `uri` known. */
  async register(uri: string): Promise<void> {
    await until(`the registration of ${uri}`, async () => {
      const response = await fetch(`${this.admin}/deployments`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ uri, force: true }),
      });
      return response.ok || undefined;
    });
  }

  /** How many nodes the cluster's metadata live on, as this one sees it. */
  async members(): Promise<number> {
    const health = (await (await fetch(`${this.admin}/cluster-health`)).json()) as {
      metadata_cluster_health: { members: unknown[] };
    };
    return health.metadata_cluster_health.members.length;
  }

  /** How many partitions this node leads. */
  async leads(): Promise<number> {
    const metrics = await (await fetch(`${this.nodeAddress}/metrics`)).text();
    return Number(/^restate_num_active_partition_leaders\{.*\} (\d+)$/m.exec(metrics)?.[1] ?? 0);
  }

  /** What the engine's own tables say. */
  async query<T>(sql: string): Promise<T[]> {
    const response = await fetch(`${this.admin}/query`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify({ query: sql }),
    });
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    return ((await response.json()) as { rows: T[] }).rows;
  }

  /** Calls a handler, and goes on asking for the answer while the node is down: the request is known by its key. */
  async call<T>(service: string, handler: string, key: string, body: unknown): Promise<T> {
    return until(`${service}/${handler} ${key}`, async () => {
      const response = await fetch(`${this.ingress}/${service}/${handler}`, {
        method: "POST",
        headers: { "content-type": "application/json", "idempotency-key": key },
        body: JSON.stringify(body),
      });
      if (!response.ok) throw new Error(`${response.status}`);
      return (await response.json()) as T;
    });
  }
}

interface NodeConfig {
  readonly dir: string;
  readonly ports: readonly number[];
  readonly name: string;
  readonly cluster?: { name: string; addresses: readonly string[]; replication: number; first: boolean };
}

function configOf({ dir, ports: [ingress, admin, node], name, cluster }: NodeConfig): string {
  const lines = [
    `node-name = "${name}"`,
    `cluster-name = "${cluster?.name ?? "eoc"}"`,
    `base-dir = "${join(dir, "data")}"`,
    `listen-mode = "tcp"`,
    `bind-address = "127.0.0.1:${node}"`,
    `advertised-address = "http://127.0.0.1:${node}/"`,
    "disable-telemetry = true",
    "default-num-partitions = 4",
    `rocksdb-total-memory-size = "256 MiB"`,
    `log-filter = "warn"`,
    "log-disable-ansi-codes = true",
    `auto-provision = ${cluster === undefined || cluster.first}`,
    `default-replication = ${cluster?.replication ?? 1}`,
    ...(cluster === undefined
      ? []
      : ["[metadata-client]", `addresses = [${cluster.addresses.map((a) => `"${a}/"`).join(", ")}]`]),
    "[ingress]",
    `bind-address = "127.0.0.1:${ingress}"`,
    "[admin]",
    `bind-address = "127.0.0.1:${admin}"`,
    "disable-web-ui = true",
  ];
  return `${lines.join("\n")}\n`;
}
