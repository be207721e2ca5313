// What four sample changes would release, by changesets itself on a copy of the manifests: `pnpm release:plan`. Fails where it is not as promised.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");

type Bump = "patch" | "minor" | "major";

interface Sample {
  readonly what: string;
  readonly changes: Readonly<Record<string, Bump>>;
  /** Every package that is released, and how. */
  readonly releases: Readonly<Record<string, Bump>>;
}

interface Manifest {
  name: string;
  version: string;
  private?: boolean;
  dependencies?: Record<string, string>;
}

const FOLDERS = ["packages", "apps"].flatMap((group) =>
  readdirSync(join(root, group)).map((name) => `${group}/${name}`),
);
const manifestIn = (at: string, folder: string): Manifest =>
  JSON.parse(readFileSync(join(at, folder, "package.json"), "utf8"));
const published = FOLDERS.map((folder) => manifestIn(root, folder)).filter((manifest) => !manifest.private);

/** A patch of each package that has this one among its dependencies. */
function dependants(name: string): Record<string, Bump> {
  const direct = published.filter(({ dependencies = {} }) => name in dependencies);
  return Object.fromEntries(direct.map((each) => [each.name, "patch"]));
}

const SAMPLES: readonly Sample[] = [
  {
    what: "a change in one adapter releases that adapter only",
    changes: { "@eoc/adapter-http": "minor" },
    releases: { "@eoc/adapter-http": "minor" },
  },
  {
    what: "a minor of core pushes no adapter, least of all to a major; what depends on core follows with a patch",
    changes: { "@eoc/core": "minor" },
    releases: { ...dependants("@eoc/core"), "@eoc/core": "minor" },
  },
  {
    what: "a patch of decision-schema is within everybody's range, and releases nothing else",
    changes: { "@eoc/decision-schema": "patch" },
    releases: { "@eoc/decision-schema": "patch" },
  },
  {
    what: "a minor of decision-schema leaves the ranges of what depends on it, which follows with a patch",
    changes: { "@eoc/decision-schema": "minor" },
    releases: { ...dependants("@eoc/decision-schema"), "@eoc/decision-schema": "minor" },
  },
];

/** The versions before and after `changeset version`, with this one changeset on a clean slate. */
function plan(changes: Readonly<Record<string, Bump>>): Record<string, readonly [before: string, after: string]> {
  const copy = mkdtempSync(join(tmpdir(), "eoc-release-"));
  try {
    for (const file of ["package.json", "pnpm-workspace.yaml", "pnpm-lock.yaml"])
      cpSync(join(root, file), join(copy, file));
    for (const folder of FOLDERS) {
      mkdirSync(join(copy, folder), { recursive: true });
      cpSync(join(root, folder, "package.json"), join(copy, folder, "package.json"));
    }
    mkdirSync(join(copy, ".changeset"));
    const config = JSON.parse(readFileSync(join(root, ".changeset/config.json"), "utf8"));
    writeFileSync(join(copy, ".changeset/config.json"), JSON.stringify({ ...config, changelog: false }));
    const front = Object.entries(changes).map(([name, bump]) => `"${name}": ${bump}`);
    writeFileSync(join(copy, ".changeset/sample.md"), `---\n${front.join("\n")}\n---\n\nA sample.\n`);
    const changeset = join(root, "node_modules/.bin/changeset");
    const { status, stdout, stderr } = spawnSync(changeset, ["version"], { cwd: copy, encoding: "utf8" });
    if (status !== 0) throw new Error(`${stdout}${stderr}`);
    const versions = FOLDERS.map((folder) => [manifestIn(root, folder), manifestIn(copy, folder)] as const);
    return Object.fromEntries(
      versions
        .filter(([before, after]) => before.version !== after.version)
        .map(([before, after]) => [before.name, [before.version, after.version]]),
    );
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function bumpOf([before, after]: readonly [string, string]): Bump {
  const [was, is] = [before, after].map((version) => version.split("."));
  if (was?.[0] !== is?.[0]) return "major";
  return was?.[1] === is?.[1] ? "patch" : "minor";
}

/** Changesets that say nothing, or of packages that are not there: changesets itself passes over some of them. */
function unreadable(): string[] {
  const names = published.map(({ name }) => name);
  return readdirSync(join(root, ".changeset"))
    .filter((file) => file.endsWith(".md"))
    .filter((file) => {
      const text = readFileSync(join(root, ".changeset", file), "utf8");
      const [, front] = /^---\n+((?:"[^"]+": (?:patch|minor|major)\n)+)\n*---\n+\S/.exec(text) ?? [];
      const packages = [...(front ?? "").matchAll(/^"([^"]+)"/gm)].map((found) => found[1] ?? "");
      return packages.length === 0 || packages.some((name) => !names.includes(name));
    });
}

let failed = 0;
for (const file of unreadable()) {
  failed++;
  console.log(`FAILED .changeset/${file} is no changeset, or names a package that is not published`);
}
for (const { what, changes, releases } of SAMPLES) {
  const planned = plan(changes);
  const bumps = Object.fromEntries(Object.entries(planned).map(([name, versions]) => [name, bumpOf(versions)]));
  const sorted = (record: object) => JSON.stringify(Object.entries(record).sort());
  const asPromised = sorted(bumps) === sorted(releases);
  if (!asPromised) failed++;
  console.log(`${asPromised ? "ok    " : "FAILED"} ${what}`);
  for (const [name, bump] of Object.entries(changes)) console.log(`         changed   ${name} (${bump})`);
  for (const [name, [before, after]] of Object.entries(planned))
    console.log(`         releases  ${name} ${before} → ${after}`);
  if (!asPromised) console.log(`         promised  ${sorted(releases)}`);
}
process.exitCode = failed === 0 ? 0 : 1;
