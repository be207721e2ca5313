import { kindOf } from "./plain-object.js";
import { refuseOption } from "./refuse-option.js";

/**
 * Refuses an option that `known` does not name: one that is misspelt would otherwise be ignored. What is `undefined` is as if
 * it were not there. For factories of your own.
 *
 * @param path of the options themselves, where they are among those of something else
 * @throws EocError `invalid_option`
 */
export function checkOptionNames<Options extends object>(
  options: Options,
  known: { readonly [Name in keyof NoInfer<Options>]-?: true },
  path?: string,
): void {
  if (typeof options !== "object" || options === null) refuseOption(path ?? "options", "an object", kindOf(options));
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || Object.hasOwn(known, name)) continue;
    const expected = `one of ${Object.keys(known).join(", ")}`;
    refuseOption(path === undefined ? name : `${path}.${name}`, expected, "an unknown field");
  }
}
