export { matchers } from "@eoc/testkit/vitest";
