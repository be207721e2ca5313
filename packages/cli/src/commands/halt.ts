import type { KillSwitchState } from "@eoc/core";
import { readArguments } from "../arguments.js";
import { EXIT, type ExitCode } from "../exit-code.js";
import type { CliIo } from "../io.js";
import { BY_OPTION, checkBy, operatorOf } from "../operator.js";
import { printable } from "../printable.js";
import { type OperatorSwitch, withStore } from "../store/open-store.js";
import { partsOf, STORE_HELP, STORE_OPTIONS } from "../store/store-options.js";
import { timeText } from "../time-text.js";
import type { Command } from "./command.js";

const SWITCH_HELP = `${STORE_HELP}      --switch NAME        PostgreSQL or Redis: which switch (default: default)
      --json               what it says then, as JSON
`;

const BY_HELP = `      --by NAME            who does it (default: who is at the terminal)
`;

/** `eoc halt on`: throws the kill switch of a store. */
export const haltOn: Command = {
  name: "halt on",
  help: `  eoc halt on STORE      stops every execution that watches the store's switch
      --reason TEXT        why, for who looks at the switch; no secrets
${BY_HELP}${SWITCH_HELP}`,
  run: (argv, io) =>
    withSwitch(argv, { reason: { type: "string" }, ...BY_OPTION }, io, async (killSwitch, { reason, by }) => {
      await killSwitch.halt(reason, by ?? operatorOf(io));
      return EXIT.ok;
    }),
};

/** `eoc halt off`: flips it back. */
export const haltOff: Command = {
  name: "halt off",
  help: `  eoc halt off STORE     lets new executions dispatch again
${BY_HELP}${SWITCH_HELP}`,
  run: (argv, io) =>
    withSwitch(argv, BY_OPTION, io, async (killSwitch, { by }) => {
      await killSwitch.clear(by ?? operatorOf(io));
      return EXIT.ok;
    }),
};

/** `eoc halt status`: what it says. */
export const haltStatus: Command = {
  name: "halt status",
  help: `  eoc halt status STORE  what the switch says, why, who and when
${SWITCH_HELP}`,
  run: (argv, io) => withSwitch(argv, {}, io, async (killSwitch) => haltCode(await killSwitch.read())),
};

const haltCode = ({ halted }: KillSwitchState) => (halted ? EXIT.denied : EXIT.ok);

/** The options that differ, and the one that all of them have. */
interface Values {
  readonly reason?: string;
  readonly by?: string;
  readonly json?: boolean;
}

async function withSwitch(
  argv: readonly string[],
  more: Readonly<Record<string, { type: "string" }>>,
  io: CliIo,
  use: (killSwitch: OperatorSwitch, values: Values) => Promise<ExitCode>,
): Promise<ExitCode> {
  const options = { ...STORE_OPTIONS, ...more, json: { type: "boolean" } } as const;
  const { values: given, files } = readArguments(argv, options, { names: ["STORE"] });
  const values = given as Values;
  checkBy(values.by);
  return withStore(files[0]!, partsOf(given), io, async ({ killSwitch }) => {
    const code = await use(killSwitch, values);
    const state = await killSwitch.read();
    io.stdout.write(values.json ? `${JSON.stringify(state, null, 2)}\n` : present(state));
    return code;
  });
}

function present({ halted, reason, ...known }: KillSwitchState & { changedBy?: string; changedAtMs?: number }): string {
  const { changedBy, changedAtMs } = known;
  const who = changedBy === undefined ? [] : [`by ${changedBy}`];
  const when = changedAtMs === undefined ? [] : [`since ${timeText(changedAtMs)}`];
  const details = [...who, ...when].join(", ");
  const what = halted ? `Halted${reason === undefined ? "" : `: ${reason}`}` : "Not halted";
  return `${printable(`${what}${details === "" ? "" : ` (${details})`}`)}\n`;
}
