import { packageConfig } from "../../tools/tsup-config.ts";

export default packageConfig({
  index: "src/index.ts",
  matchers: "src/matchers.ts",
  vitest: "src/vitest.ts",
  jest: "src/jest.ts",
  "fast-check": "src/fast-check.ts",
});
