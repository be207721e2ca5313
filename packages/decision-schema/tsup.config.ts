import { packageConfig } from "../../tools/tsup-config.ts";

export default packageConfig(
  { index: "src/index.ts", read: "src/read.ts" },
  // It comes as ES modules alone, which not every CommonJS loader can require.
  { noExternal: [/^@noble\/hashes/] },
);
