import { expect } from "vitest";
import { type EocMatchers, matchers } from "./matchers.js";

// Importing this module adds the matchers to vitest's `expect`, and their types.
expect.extend(matchers);

declare module "vitest" {
  interface Matchers<R extends void | Promise<void>, T> extends EocMatchers<R> {}
}
