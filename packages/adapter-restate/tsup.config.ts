import { packageConfig } from "../../tools/tsup-config.ts";

export default packageConfig({ index: "src/index.ts" });
