import { EocError } from "@eoc/core";

/**
 * Refuses a runtime that Restate's SDK would fail on in the middle of an execution.
 * @throws EocError `invalid_option`
 */
export function checkRuntime(promise: object, version: string | undefined): void {
  if ("withResolvers" in promise) return;
  const received = version === undefined ? "a runtime without Promise.withResolvers" : `Node ${version}`;
  throw new EocError("invalid_option", `@eoc/adapter-restate needs Node 22 or later, this is ${received}`, {
    issues: [{ path: "runtime", expected: "Node 22 or later", received }],
  });
}
