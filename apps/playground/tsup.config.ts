import { defineConfig } from "tsup";

export default defineConfig({
  entry: { demo: "src/demo.ts", live: "src/live.ts", picture: "src/picture.ts" },
  format: ["esm"],
  target: "node22",
  platform: "node",
  clean: true,
});
