import { parseArgs } from "node:util";
import { startLiveServer } from "./live/live-server.js";

const HELP = `Serves the playground over a real HTTP world on loopback, with the system clock.

  playground [--port N]

  --port N    where the page is served (default: any free port)
  --help      this text
`;

function readArguments(): { port: number; help: boolean } | string {
  try {
    const { values } = parseArgs({ options: { port: { type: "string", default: "0" }, help: { type: "boolean" } } });
    const port = Number(values.port);
    if (!/^\d+$/.test(values.port) || port > 65_535) return `--port ${values.port}: expected a number from 0 to 65535`;
    return { port, help: values.help === true };
  } catch (error) {
    return (error as Error).message.split(". ")[0]!;
  }
}

const given = readArguments();
if (typeof given === "string") {
  process.stderr.write(`${given} (see --help)\n`);
  process.exitCode = 2;
} else if (given.help) process.stdout.write(HELP);
else {
  try {
    const folder = new URL("../dist-page/", import.meta.url);
    const server = await startLiveServer({ folder, port: given.port });
    process.stdout.write(`The playground is at ${server.origin}/ until you press Ctrl-C.

The kill switch, from another terminal:
  curl -X POST ${server.origin}/live/control -H 'Content-Type: application/json' \\
    -H 'Authorization: Bearer ${server.token}' -d '{"halted":true,"reason":"fire drill"}'
`);
    const stop = () => void server.close();
    process.once("SIGINT", stop);
    process.once("SIGTERM", stop);
  } catch (error) {
    process.stderr.write(`The page cannot be served: ${(error as NodeJS.ErrnoException).code ?? "unknown error"}\n`);
    process.exitCode = 1;
  }
}
