import { expect } from "@jest/globals";
import { type EocMatchers, matchers } from "./matchers.js";

// Importing this module adds the matchers to jest's `expect`, and their types: to the imported one and to the global one.
expect.extend(matchers);

declare module "expect" {
  interface Matchers<R extends void | Promise<void>, T> extends EocMatchers<R> {}
}

declare global {
  namespace jest {
    interface Matchers<R, T> extends EocMatchers<R> {}
  }
}
