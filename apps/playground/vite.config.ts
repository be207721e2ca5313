import { defineConfig } from "vite";

export default defineConfig({
  // Works from any folder of any static host.
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: { outDir: "dist-page", target: "es2022", modulePreload: { polyfill: false } },
});
