import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { IDEMPOTENCY_SCRIPT } from "../src/idempotency-script.js";
import { LIMITER_SCRIPT } from "../src/limiter-script.js";
import { SWITCH_SCRIPT } from "../src/switch-script.js";

describe("the scripts", () => {
  it.each(Object.entries({ IDEMPOTENCY_SCRIPT, LIMITER_SCRIPT, SWITCH_SCRIPT }))(
    "%s carries the digest of its text",
    (_, { text, sha }) => {
      expect(sha).toBe(createHash("sha1").update(text).digest("hex"));
    },
  );
});
