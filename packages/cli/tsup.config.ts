import { packageConfig } from "../../tools/tsup-config.ts";

export default packageConfig(
  { index: "src/index.ts", eoc: "src/eoc.ts" },
  { platform: "node", external: [/^node:/], removeNodeProtocol: false },
);
