import { readArguments } from "../arguments.js";
import { EXIT, type ExitCode } from "../exit-code.js";
import type { CliIo } from "../io.js";
import { withStore } from "../store/open-store.js";
import { partsOf, STORE_HELP, STORE_OPTIONS } from "../store/store-options.js";
import { UsageError } from "../usage-error.js";
import type { Command } from "./command.js";

const { schema, prefix } = STORE_OPTIONS;

/** `eoc keys resolve`: an operator's word on a key in doubt. */
export const keysResolve: Command = {
  name: "keys resolve",
  help: `  eoc keys resolve STORE KEY applied|not_applied
                         says what became of one that is in doubt: applied is
                         never dispatched again, not_applied is, when it is
                         executed the next time
${STORE_HELP}      --json               as JSON
`,
  run,
};

async function run(argv: readonly string[], io: CliIo): Promise<ExitCode> {
  const options = { schema, prefix, json: { type: "boolean" } } as const;
  const { values, files } = readArguments(argv, options, { names: ["STORE", "KEY", "the outcome"] });
  const [store, key, outcome] = files as [string, string, string];
  if (outcome !== "applied" && outcome !== "not_applied") {
    throw new UsageError("the outcome must be applied or not_applied");
  }
  const isResolved = await withStore(store, partsOf(values), io, ({ keys }) => keys.resolve(key, outcome));
  if (values.json) io.stdout.write(`${JSON.stringify({ key, outcome, resolved: isResolved }, null, 2)}\n`);
  else if (isResolved) io.stdout.write(outcome === "applied" ? "Completed, without a value.\n" : "Free again.\n");
  else io.stderr.write("eoc: the key is not in doubt: nothing was changed (see eoc keys show)\n");
  return isResolved ? EXIT.ok : EXIT.failed;
}
