import { userInfo } from "node:os";
import type { CliIo } from "./io.js";
import { UsageError } from "./usage-error.js";

/** Who did it, for commands that put that on record. */
export const BY_OPTION = { by: { type: "string" } } as const;

/** @throws UsageError for a name that names nobody */
export function checkBy(by: string | undefined): void {
  if (by?.trim() === "") throw new UsageError("--by must name somebody");
}

/** Whoever is at the terminal; undefined where nobody knows. Containers and cron often do not say it in the environment. */
export function operatorOf({ env, userName = () => userInfo().username }: CliIo): string | undefined {
  return env["USER"] || env["LOGNAME"] || env["USERNAME"] || systemName(userName);
}

function systemName(userName: () => string): string | undefined {
  try {
    return userName() || undefined;
  } catch {
    return undefined; // A user without an entry, as containers are often run by.
  }
}
