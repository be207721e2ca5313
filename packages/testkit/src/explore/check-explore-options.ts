import { checkFunction, checkNumber, checkOption, checkWord } from "../check-option.js";
import type { ExploreOptions } from "./explore.js";

/**
 * Refuses what would explore something else than it seems to, or nothing at all.
 * @throws EocError `invalid_option`
 */
export function checkExploreOptions(options: ExploreOptions): void {
  const { executor, mode = "seeded", seed = "", runs, replay = [], secrets = [] } = options;
  checkOption(typeof executor === "function", "executor", "a function that makes the executor of a run", executor);
  for (const name of ["options", "scenario", "check", "print"] as const) checkFunction(name, options[name]);
  checkWord("mode", mode, ["seeded", "exhaustive"]);
  checkOption(["string", "number"].includes(typeof seed), "seed", "a text or a number", seed);
  checkNumber("runs", runs, 1);
  checkList("replay", replay, "an integer >= 0", (index) => Number.isSafeInteger(index) && (index as number) >= 0);
  checkList("secrets", secrets, "a text", (secret) => typeof secret === "string");
  for (const name of ["haltAt", "cancelAt"] as const) {
    const moments = options[name] ?? [];
    if (moments === "any event") continue;
    checkOption(Array.isArray(moments), name, '"any event" or a list of milliseconds', moments);
    checkList(name, moments, "a number >= 0", (ms) => typeof ms === "number" && ms >= 0);
  }
}

function checkList(path: string, list: unknown, expected: string, fits: (value: unknown) => boolean): void {
  checkOption(Array.isArray(list), path, `a list, of which each is ${expected}`, list);
  for (const [index, value] of (list as unknown[]).entries()) {
    checkOption(fits(value), `${path}[${index}]`, expected, value);
  }
}
