import { defineConfig, type Options } from "tsup";

/** The one build recipe of every published package: ESM, CommonJS and types. */
export function packageConfig(entry: Record<string, string>, overrides: Options = {}) {
  return defineConfig({
    entry,
    format: ["esm", "cjs"],
    target: "es2022",
    platform: "neutral",
    dts: true,
    clean: true,
    sourcemap: true,
    treeshake: true,
    ...overrides,
  });
}
