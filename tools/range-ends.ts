// Tries what a published package says that it goes with, Node and its peers, at both ends of every range: a program for each in tools/range-trials.
import { cpSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { RestateServer, serverBinary } from "../packages/adapter-restate/test/real/server.ts";
import { findPostgres, startPostgres } from "../packages/store-postgres/test/postgres-server.ts";
import { findRedis, startRedis } from "../packages/store-redis/test/redis-server.ts";
import { type Packed, run } from "./local-registry.ts";

const root = join(import.meta.dirname, "..");
const TRIALS = join(import.meta.dirname, "range-trials");
/** Peers whose types are in a package of their own, with the same versions. */
const TYPES: Readonly<Record<string, string>> = { pg: "@types/pg" };
const ENDS = ["lowest", "newest"] as const;
type End = (typeof ENDS)[number];

/** What one package goes with. */
export interface Ranges {
  /** Its name without the scope. */
  readonly package: string;
  readonly node: string;
  /** Without those of this repository, whose versions come from here. */
  readonly peers: Readonly<Record<string, string>>;
}

/** The ranges that the manifests declare. */
export function rangesOf(packed: readonly Pick<Packed, "manifest">[]): Ranges[] {
  return packed.map(({ manifest: { name, engines, peerDependencies = {} } }) => ({
    package: basename(name),
    node: engines?.node ?? "",
    peers: Object.fromEntries(Object.entries(peerDependencies).filter(([peer]) => !peer.startsWith("@eoc/"))),
  }));
}

/** The trials of a package: one for each peer, or `node` where it has none. */
const trialsOf = ({ package: folder, peers }: Ranges): string[] =>
  (Object.keys(peers).length === 0 ? ["node"] : Object.keys(peers)).map((name) => `${folder}/${basename(name)}`);

/** Ranges that nothing tries, and trials of what nobody declares. */
export function untried(ranges: readonly Ranges[], trials: readonly string[]): string[] {
  const wanted = ranges.flatMap(trialsOf);
  return [
    ...ranges.filter(({ node }) => node === "").map((each) => `${each.package} does not say which Node it needs`),
    ...wanted.filter((trial) => !trials.includes(trial)).map((trial) => `tools/range-trials/${trial}.ts is missing`),
    ...trials.filter((trial) => !wanted.includes(trial)).map((trial) => `tools/range-trials/${trial}.ts tries no peer`),
  ];
}

/** The first and the last of versions without pre-releases, whatever their order. */
export function endOf(versions: readonly string[], end: End): string {
  const sorted = versions.toSorted((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const version = end === "lowest" ? sorted[0] : sorted.at(-1);
  if (version === undefined) throw new Error("no version is in the range");
  return version;
}

/** As the registry knows them. */
async function versionsIn(name: string, range: string): Promise<string[]> {
  const found: string | string[] = JSON.parse(
    await run("npm", ["view", `${name}@${range}`, "version", "--json"], root),
  );
  return [found].flat();
}

/** The trials that are there. A file with another dot in its name belongs to one: a test that it runs, types of one end. */
function trialsThere(): string[] {
  return readdirSync(TRIALS, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => readdirSync(join(TRIALS, name)).map((file) => `${name}/${basename(file, ".ts")}`))
    .filter((trial) => !trial.includes("."));
}

interface Servers {
  /** For the environment of trials; a package without its own is not tried. */
  readonly env: Readonly<Record<string, Record<string, string>>>;
  close(): Promise<void>;
}

/** A server for each package that talks to one. Where this machine has none, that is said; on CI it is a failure. */
async function startServers(): Promise<Servers> {
  const [postgresBin, redisBin] = [findPostgres(), findRedis()];
  const missing = [postgresBin ? "" : "PostgreSQL", redisBin ? "" : "Redis", serverBinary() ? "" : "restate-server"];
  const said = missing.filter((name) => name !== "").join(", ");
  if (said !== "" && process.env["CI"]) throw new Error(`not on this machine: ${said}`);
  if (said !== "") console.log(`       not on this machine, and not tried: ${said}`);
  const [postgres, redis, restate] = await Promise.all([
    postgresBin ? startPostgres(postgresBin, { fsync: "off" }) : undefined,
    redisBin ? startRedis(redisBin, { appendfsync: "no" }) : undefined,
    serverBinary() ? RestateServer.start() : undefined,
  ]);
  return {
    env: {
      ...(postgres && { "store-postgres": { EOC_POSTGRES_URL: postgres.url } }),
      ...(redis && { "store-redis": { EOC_REDIS_URL: redis.url } }),
      ...(restate && {
        "adapter-restate": { EOC_RESTATE: JSON.stringify({ admin: restate.admin, ingress: restate.ingress }) },
      }),
    },
    async close() {
      await Promise.all([postgres?.remove(), redis?.remove(), restate?.end()]);
    },
  };
}

const NEEDS_SERVER = new Set(["store-postgres", "store-redis", "adapter-restate"]);

/** Makes a fresh project with files in it and packages installed, and gives its folder. */
export type MakeProject = (files: Record<string, string>, install: readonly string[]) => Promise<string>;

async function tryEnd(
  end: End,
  packed: readonly Packed[],
  { env }: Servers,
  makeProject: MakeProject,
): Promise<string[]> {
  const versions = new Map<string, Promise<string>>();
  const versionOf = (name: string, range: string) => {
    const key = `${name}@${range}`;
    const version =
      versions.get(key) ??
      versionsIn(name, range).then(
        (all) => endOf(all, end),
        (error: Error) => Promise.reject(new Error(`${key}: ${error.message}`)),
      );
    versions.set(key, version);
    return version;
  };
  const all = await Promise.all(
    rangesOf(packed).map(async (ranges) => ({
      ...ranges,
      node: await versionOf("node", ranges.node),
      peers: await Promise.all(
        Object.entries(ranges.peers).map(async ([name, range]) => ({
          name,
          version: await versionOf(name, range),
          types: TYPES[name] && `${TYPES[name]}@${await versionOf(TYPES[name], range)}`,
        })),
      ),
    })),
  );
  const install = new Set([
    ...packed.map(({ manifest: { name } }) => name),
    ...all.map(({ node }) => `node-${node}@npm:node@${node}`),
    ...all.flatMap(({ peers }) => peers.flatMap(({ name, version, types }) => [`${name}@${version}`, types ?? ""])),
    "@types/node@24",
  ]);
  const options = { strict: true, module: "nodenext", target: "es2022", skipLibCheck: true, types: ["node"] };
  const other = ENDS.find((each) => each !== end);
  const files = {
    "package.json": JSON.stringify({ private: true, type: "module" }),
    "tsconfig.json": JSON.stringify({
      compilerOptions: { ...options, rootDir: "trials", outDir: "out" },
      include: ["trials"],
      exclude: [`trials/**/*.${other}.ts`],
    }),
  };
  const folder = await makeProject(files, ["--strict-peer-deps", ...[...install].filter(Boolean)]);
  cpSync(TRIALS, join(folder, "trials"), { recursive: true });
  // The types, as users of both see them.
  await run(join(root, "node_modules/.bin/tsc"), ["-p", "tsconfig.json"], folder);

  const problems: string[] = [];
  for (const { package: name, node, peers } of all) {
    if (NEEDS_SERVER.has(name) && env[name] === undefined) continue;
    for (const peer of peers.length === 0 ? [undefined] : peers) {
      const trial = `${name}/${basename(peer?.name ?? "node")}`;
      const said = `${end}: @eoc/${name}${peer ? ` with ${peer.name} ${peer.version}` : ""} on Node ${node}`;
      const command = join(folder, `node_modules/node-${node}/bin/node`);
      // The trials are ES modules; that the other form loads there as well is seen first.
      const problem = await run(command, ["--input-type=commonjs", "-e", `require("@eoc/${name}")`], folder)
        .then(() => run(command, [`out/${trial}.js`], folder, { ...env[name], EOC_TRIAL: end }))
        .then(
          () => undefined,
          (error: Error) => error.message,
        );
      if (problem === undefined) console.log(`       ${said}`);
      else problems.push(`${said}\n${problem}`);
    }
  }
  return problems;
}

/** Rejects with everything that is not as the manifests say. */
export async function tryRanges(packed: readonly Packed[], makeProject: MakeProject): Promise<void> {
  const missing = untried(rangesOf(packed), trialsThere());
  if (missing.length > 0) throw new Error(missing.join("\n"));
  const servers = await startServers();
  try {
    const problems = await Promise.all(
      // Each to its end, so that nothing is at work any more when its folder goes.
      ENDS.map((end) =>
        tryEnd(end, packed, servers, makeProject).catch((error: Error) => [`${end}: ${error.message}`]),
      ),
    );
    if (problems.flat().length > 0) throw new Error(problems.flat().join("\n\n"));
  } finally {
    await servers.close();
  }
}
