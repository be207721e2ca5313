import type {} from "expect";
import type { EocMatchers } from "./matchers.js";

// The matchers, with their types for jest's `expect`: the imported one and the global one.
export { type EocMatchers, matchers } from "./matchers.js";

declare module "expect" {
  interface Matchers<R extends void | Promise<void>, T> extends EocMatchers<R> {}
}

declare global {
  namespace jest {
    interface Matchers<R, T> extends EocMatchers<R> {}
  }
}
