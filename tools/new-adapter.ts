// Makes packages/adapter-NAME from tools/template/adapter: `pnpm new:adapter NAME`.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const root = join(import.meta.dirname, "..");
const template = join(import.meta.dirname, "template/adapter");

/** Writes the files of a new adapter under `at`, and gives their paths. */
export function writeAdapter(name: string, at: string): string[] {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) throw new Error(`${name} is no kebab-case name`);
  const folder = `packages/adapter-${name}`;
  if (existsSync(join(at, folder))) throw new Error(`${folder} is there already`);
  const className = name.replaceAll(/(?:^|-)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  const fill = (text: string) => text.replaceAll("__NAME__", name).replaceAll("__CLASS__", className);
  const files = readdirSync(template, { recursive: true })
    .map(String)
    .filter((file) => file.endsWith(".txt"));
  const written = files.map((file) => {
    const target = join(folder, fill(file.replace(/\.txt$/, "")));
    mkdirSync(dirname(join(at, target)), { recursive: true });
    writeFileSync(join(at, target), fill(readFileSync(join(template, file), "utf8")));
    return target;
  });
  const changeset = `.changeset/adapter-${name}.md`;
  mkdirSync(join(at, ".changeset"), { recursive: true });
  writeFileSync(join(at, changeset), `---\n"@eoc/adapter-${name}": minor\n---\n\nFirst release.\n`);
  return [...written, changeset];
}

/** Lets the type checker find the sources of the new package. */
function addPath(name: string): void {
  const file = join(root, "tsconfig.json");
  const text = readFileSync(file, "utf8");
  const last = /( {6}"@eoc\/[^\n]*\])\n( {4}\})/;
  if (!last.test(text)) throw new Error("tsconfig.json has no paths");
  writeFileSync(
    file,
    text.replace(last, `$1,\n      "@eoc/adapter-${name}": ["./packages/adapter-${name}/src/index.ts"]\n$2`),
  );
}

if (process.argv[1] === import.meta.filename) {
  const [name] = process.argv.slice(2);
  if (name === undefined) {
    console.error("usage: pnpm new:adapter NAME");
    process.exitCode = 2;
  } else {
    for (const file of writeAdapter(name, root)) console.log(file);
    addPath(name);
    // Lines get longer or shorter with the name.
    execFileSync("biome", ["check", "--write", join("packages", `adapter-${name}`)], { cwd: root, stdio: "inherit" });
    console.log(`tsconfig.json\n\nNow: npx pnpm@12.21.0 install, then fill in src/${name}-executor.ts and README.md.`);
  }
}
