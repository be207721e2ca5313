import { packageConfig } from "../../tools/tsup-config.ts";

export default packageConfig(
  { index: "src/index.ts", node: "src/node.ts" },
  { external: [/^node:/], removeNodeProtocol: false },
);
