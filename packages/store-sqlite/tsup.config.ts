import { packageConfig } from "../../tools/tsup-config.ts";
import { threadSource } from "./scripts/thread-source.ts";

export default packageConfig(
  { index: "src/index.ts" },
  {
    platform: "node",
    external: [/^node:/],
    removeNodeProtocol: false,
    define: { THREAD_SOURCE: JSON.stringify(await threadSource()) },
  },
);
