// Packs every package as it would be published, into a folder: `pnpm pack:all`, after a build.
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { packAll } from "./local-registry.ts";

const target = resolve(process.argv[2] ?? "packed");
mkdirSync(target, { recursive: true });
for (const { manifest, tarball } of await packAll()) {
  const file = join(target, `eoc-${basename(manifest.name)}-${manifest.version}.tgz`);
  writeFileSync(file, tarball);
  console.log(file);
}
