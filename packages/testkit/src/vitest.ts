import type {} from "vitest";
import type { EocMatchers } from "./matchers.js";

// The matchers, with their types for vitest's `expect`.
export { type EocMatchers, matchers } from "./matchers.js";

declare module "vitest" {
  interface Matchers<R extends void | Promise<void>, T> extends EocMatchers<R> {}
}
