export { EXIT, type ExitCode } from "./exit-code.js";
export type { CliIo } from "./io.js";
export { main } from "./main.js";
