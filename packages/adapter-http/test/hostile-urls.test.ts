import { isEocError } from "@eoc/core";
import { describe, expect, it } from "vitest";
import { createHttpExecutor } from "../src/index.js";
import { HOSTILE_URLS } from "./hostile-urls.js";
import { anAction, anAttempt, outcomeOf } from "./support.js";

const ORIGIN = "https://api.example.com";

/** What an executor makes of a URL, and how often it asked the network. */
async function sent(url: string, allowedOrigins: readonly string[], allowPrivateAddresses: boolean) {
  let calls = 0;
  const executor = createHttpExecutor({
    request: () => ({ method: "POST", url }),
    allowedOrigins,
    allowPrivateAddresses,
    fetch: async () => {
      calls++;
      return new Response();
    },
  });
  return { outcome: await outcomeOf(executor.execute(anAction(), anAttempt())), calls };
}

describe("an executor for one public origin", () => {
  for (const [code, urls] of Object.entries(HOSTILE_URLS)) {
    it(`refuses ${urls.length} hostile URLs with ${code}, sending nothing`, async () => {
      for (const url of urls) {
        const refused = { outcome: { ok: false, code, retryable: false }, calls: 0 };
        expect([url, await sent(url, [ORIGIN], false)]).toEqual([url, refused]);
      }
    });
  }

  it("is not made for a private origin unless told so, and reaches no other even then", async () => {
    for (const url of HOSTILE_URLS["private_address"]!) {
      const { origin } = new URL(url);
      expect(() => createHttpExecutor({ request: () => ({ method: "GET", url }), allowedOrigins: [origin] })).toThrow(
        expect.toSatisfy((error) => isEocError(error) && error.issues?.[0]?.path === "allowedOrigins[0]"),
      );
      expect([url, await sent(url, [origin], true)]).toEqual([url, { outcome: { ok: true }, calls: 1 }]);
      expect(await sent(url, [ORIGIN], true)).toMatchObject({ outcome: { code: "origin_not_allowed" }, calls: 0 });
    }
  });
});
