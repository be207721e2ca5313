#!/usr/bin/env node
import { main } from "./main.js";

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // A reader that has seen enough, such as `head`, does not change the verdict.
  if (error.code !== "EPIPE") process.exit(1);
});

main(process.argv.slice(2), process).then(
  (code) => {
    process.exitCode = code;
    // Once everything is said, whatever a driver still has open: a connection that hangs keeps nobody waiting.
    process.stdout.write("", () => process.stderr.write("", () => process.exit()));
  },
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);
