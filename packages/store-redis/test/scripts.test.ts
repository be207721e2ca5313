import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { IDEMPOTENCY_SCRIPT } from "../src/idempotency-script.js";
import { LIMITER_SCRIPT } from "../src/limiter-script.js";
import { PRELUDE } from "../src/script.js";
import { SWITCH_SCRIPT } from "../src/switch-script.js";
import { ioRedis, noServer } from "./support.js";

/** What is sent besides what the scripts call. */
const SENT = ["EVAL", "EVALSHA", "PING", "SUBSCRIBE"];

/** The README's table of commands, and since when servers have them. */
function commandsOfReadme(): Map<string, string> {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const rows = readme.matchAll(/^\| (\d[\d.]*) +\| ((?:`[A-Z]+`(?:, )?)+) +\|$/gm);
  return new Map(
    [...rows].flatMap(([, since = "", names = ""]) =>
      [...names.matchAll(/`(\w+)`/g)].map((found): [string, string] => [found[1] ?? "", since]),
    ),
  );
}

describe("the scripts", () => {
  it.each(Object.entries({ IDEMPOTENCY_SCRIPT, LIMITER_SCRIPT, SWITCH_SCRIPT }))(
    "%s carries the digest of its text",
    (_, { text, sha }) => {
      expect(sha).toBe(createHash("sha1").update(text).digest("hex"));
    },
  );

  it("call what the README says, and nothing else", () => {
    const texts = [PRELUDE, IDEMPOTENCY_SCRIPT.text, LIMITER_SCRIPT.text, SWITCH_SCRIPT.text].join("\n");
    const called = [...texts.matchAll(/redis\.call\('(\w+)'/g)].map((found) => found[1] ?? "");
    expect([...texts.matchAll(/redis\.p?call\(/g)]).toHaveLength(called.length);
    expect([...commandsOfReadme().keys()].sort()).toEqual([...new Set([...called, ...SENT])].sort());
  });

  it.skipIf(noServer)("need what servers have had for as long as the README says", async () => {
    const client = ioRedis();
    try {
      for (const [name, since] of commandsOfReadme()) {
        const [, docs] = (await client.call("COMMAND", "DOCS", name)) as [string, string[]];
        expect(`${name} ${docs[docs.indexOf("since") + 1]?.replace(/^(\d+\.\d+)\.0$/, "$1")}`).toBe(`${name} ${since}`);
      }
    } finally {
      client.disconnect();
    }
  });
});
