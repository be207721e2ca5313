/** A mistake of whoever called: one line for standard error, and exit code 2. */
export class UsageError extends Error {
  override name = "UsageError";
}
