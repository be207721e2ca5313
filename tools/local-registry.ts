import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly engines?: { readonly node?: string };
  readonly exports: Record<string, unknown>;
  readonly dependencies?: Record<string, string>;
  readonly peerDependencies?: Record<string, string>;
  readonly peerDependenciesMeta?: Record<string, { optional?: boolean }>;
}

/** One version of a package as it would be published. */
export interface Packed {
  readonly manifest: Manifest;
  readonly tarball: Buffer;
}

/** What `pnpm pack` makes of every package that is published; build first. */
export async function packAll(): Promise<Packed[]> {
  const target = mkdtempSync(join(tmpdir(), "eoc-packed-"));
  const published = readdirSync(join(root, "packages")).filter((folder) => {
    const manifest: Manifest = JSON.parse(readFileSync(join(root, "packages", folder, "package.json"), "utf8"));
    return !manifest.private;
  });
  return Promise.all(
    published.map(async (folder) => {
      const into = join(target, folder);
      mkdirSync(into);
      await run("npx", ["--yes", "pnpm@12.21.0", "pack", "--pack-destination", into], join(root, "packages", folder));
      return readPacked(join(into, readdirSync(into)[0] ?? ""));
    }),
  );
}

async function readPacked(file: string): Promise<Packed> {
  const manifest = await run("tar", ["-xOzf", file, "package/package.json"], tmpdir());
  return { manifest: JSON.parse(manifest), tarball: readFileSync(file) };
}

/** The same package under another version, to try the ends of peer ranges. */
export async function asVersion({ tarball }: Packed, version: string): Promise<Packed> {
  const folder = mkdtempSync(join(tmpdir(), "eoc-version-"));
  const file = join(folder, "package.tgz");
  writeFileSync(file, tarball);
  await run("tar", ["-xzf", file], folder);
  const manifestFile = join(folder, "package/package.json");
  const manifest = { ...JSON.parse(readFileSync(manifestFile, "utf8")), version };
  writeFileSync(manifestFile, JSON.stringify(manifest));
  await run("tar", ["-czf", file, "package"], folder);
  return readPacked(file);
}

/** Runs a command to its end and gives what it printed, which is in the error when it fails. */
export async function run(
  command: string,
  args: readonly string[],
  cwd: string,
  env: Record<string, string> = {},
): Promise<string> {
  const child = spawn(command, args, { cwd, env: { ...withoutPnpm(), ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (printed += text));
  const status = await new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}\n${printed}`);
  return printed;
}

/** What pnpm sets for its scripts is not what somebody has in an empty folder. */
function withoutPnpm(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_(package|lifecycle)|pnpm_|INIT_CWD)/i.test(name));
  const path = (process.env["PATH"] ?? "").split(":").filter((each) => !each.startsWith(root));
  return { ...Object.fromEntries(own), PATH: path.join(":") };
}

/** A registry of `@eoc` on loopback, for npm's scope setting: every other package comes from wherever npm is configured to look. */
export async function serveRegistry(
  packed: readonly Packed[],
): Promise<{ env: Record<string, string>; close(): void }> {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? "").slice(1);
    const file = packed.find((each) => path === fileOf(each));
    if (file !== undefined) {
      response.end(file.tarball);
      return;
    }
    const versions = packed.filter(({ manifest }) => manifest.name === path);
    if (versions.length === 0) {
      response.writeHead(404).end("{}");
      return;
    }
    const { port } = server.address() as AddressInfo;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(packumentOf(path, versions, `http://127.0.0.1:${port}`)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { env: { "npm_config_@eoc:registry": `http://127.0.0.1:${port}/` }, close: () => server.close() };
}

const fileOf = ({ manifest: { name, version } }: Packed) => `-/${name.replace("@eoc/", "")}-${version}.tgz`;

function packumentOf(name: string, versions: readonly Packed[], origin: string): unknown {
  return {
    name,
    "dist-tags": { latest: versions[0]?.manifest.version },
    versions: Object.fromEntries(
      versions.map((each) => {
        const integrity = `sha512-${createHash("sha512").update(each.tarball).digest("base64")}`;
        const dist = { tarball: `${origin}/${fileOf(each)}`, integrity };
        return [each.manifest.version, { ...each.manifest, dist }];
      }),
    ),
  };
}
