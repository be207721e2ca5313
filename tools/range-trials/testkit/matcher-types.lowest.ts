import type { EocMatchers } from "@eoc/testkit/matchers";

declare module "vitest" {
  // biome-ignore lint/suspicious/noExplicitAny: as vitest 3 declares it.
  interface Matchers<T = any> extends EocMatchers<void> {}
}
