// Writes a CycloneDX SBOM of each published package, of what installing it brings: `node tools/sbom.ts FOLDER`, after a build.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { packAll, run, serveRegistry } from "./local-registry.ts";

const target = resolve(process.argv[2] ?? "sbom");
mkdirSync(target, { recursive: true });
const packed = await packAll();
const registry = await serveRegistry(packed);
try {
  for (const { manifest } of packed) {
    const folder = mkdtempSync(join(tmpdir(), "eoc-sbom-"));
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "sbom", version: "0.0.0", private: true }));
    const wanted = `${manifest.name}@${manifest.version}`;
    const quiet = ["--no-audit", "--no-fund", "--loglevel=error", "--package-lock-only"];
    await run("npm", ["install", ...quiet, wanted], folder, registry.env);
    const sbom = JSON.parse(
      await run("npm", ["sbom", "--sbom-format", "cyclonedx", "--package-lock-only"], folder, registry.env),
    );
    const names = (sbom.components as { name: string; version: string }[]).map(
      ({ name, version }) => `${name}@${version}`,
    );
    if (!names.includes(wanted)) throw new Error(`the SBOM of ${wanted} does not name it`);
    const file = join(target, `${manifest.name.replace("@eoc/", "")}-${manifest.version}.cdx.json`);
    // Where this machine looked for the tarballs is nobody's concern.
    const text = JSON.stringify(sbom, (key, value) => (key === "externalReferences" ? undefined : value), 2);
    writeFileSync(file, `${text}\n`);
    console.log(`${wanted}: ${names.length} components`);
    rmSync(folder, { recursive: true, force: true });
  }
} finally {
  registry.close();
}
