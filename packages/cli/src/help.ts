import { COMMANDS } from "./commands/index.js";

const FILES = `FILE is a path, or - for standard input. A journal that was rotated is read
through all its files; several files are read as one journal, in their order.
Where a journal is read, sqlite:PATH is one in a SQLite file.
Colours are for terminals only, and not where NO_COLOR is set.

STORE is sqlite:PATH, postgres://USER@HOST/DATABASE (or postgresql://), or
redis://HOST (rediss:// over TLS). Its package (@eoc/store-sqlite, -postgres,
-redis) has to be installed, and pg or ioredis.
`;

const EXIT_CODES = `Exit codes: 0 ok; 1 failed: a verdict is FAIL, a report failed, a policy or
decision is invalid, a key or record is not in doubt; 2 wrong usage, or a file
or store that cannot be used; 3 the report was denied or halted, the switch says
halted; 4 unknown: the report's outcome, what open intents or a key came to, or
whatever a verdict could not prove.
`;

/** The help, of all commands or of those that these words begin. Fits 80 columns. */
export function helpFor(words: readonly string[]): string {
  const wanted = COMMANDS.filter(({ name }) => ` ${name} `.startsWith(` ${words.join(" ")} `));
  const isGeneral = wanted.length === 0;
  const intro = isGeneral
    ? "Inspects what EOC leaves behind (journals, reports, keys) and throws or clears\nits kill switch.\n\n"
    : "";
  const helps = (isGeneral ? COMMANDS : wanted).map(({ help }) => help).join("");
  const others = isGeneral ? "  eoc --version          which version this is\n" : "";
  return [intro + helps + others, FILES, EXIT_CODES].join("\n");
}
