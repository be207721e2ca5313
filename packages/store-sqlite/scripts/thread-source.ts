import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "tsup";

/** The store's thread as one piece of CommonJS, which `new Worker(source, { eval: true })` takes. */
export async function threadSource(): Promise<string> {
  const outDir = mkdtempSync(join(tmpdir(), "eoc-thread-"));
  try {
    await build({
      entry: { thread: fileURLToPath(new URL("../src/worker/main.ts", import.meta.url)) },
      outDir,
      format: ["cjs"],
      target: "es2022",
      platform: "node",
      external: [/^node:/],
      removeNodeProtocol: false,
      outExtension: () => ({ js: ".cjs" }),
      minifyWhitespace: true,
      treeshake: true,
      config: false,
      silent: true,
    });
    return readFileSync(join(outDir, "thread.cjs"), "utf8");
  } finally {
    rmSync(outDir, { recursive: true });
  }
}
