import { Buffer } from "node:buffer";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isEocError } from "../../src/errors.js";
import { createRedactor } from "../../src/redaction/redactor.js";

const secret = 'p/ä+s "w0rd"?';
const redactor = createRedactor({ secrets: ["longer than p/ä", secret, "40123456"] });

/** Every string is masked for this rule and no other. */
function ruleFor(text: string): unknown {
  const { value, manifest } = redactor.redactWithManifest(text);
  return { value, rules: manifest.map(({ pointer, by, rule }) => `${pointer}${by}:${rule}`) };
}

describe("S9.3 declared secrets", () => {
  it.each([
    ["as they are", secret, "secrets[1]"],
    ["escaped as JSON", JSON.stringify(secret).slice(1, -1), "secrets[1]:json"],
    ["URL-encoded", encodeURIComponent(secret), "secrets[1]:url"],
    [
      "URL-encoded in lower case",
      encodeURIComponent(secret).replace(/%../g, (byte) => byte.toLowerCase()),
      "secrets[1]:url",
    ],
    ["form-encoded", encodeURIComponent(secret).replaceAll("%20", "+"), "secrets[1]:url"],
    ["in hex", Buffer.from(secret).toString("hex"), "secrets[1]:hex"],
    ["in upper-case hex", Buffer.from(secret).toString("hex").toUpperCase(), "secrets[1]:hex"],
    ["in base64", Buffer.from(secret).toString("base64"), "secrets[1]:base64"],
    ["in base64url", Buffer.from(secret).toString("base64url"), "secrets[1]:base64"],
  ])("are masked %s", (_form, text, rule) => {
    expect(ruleFor(text)).toEqual({ value: "[REDACTED]", rules: [`declared:${rule}`] });
    expect(redactor.redact(`a ${text} b ${text}`)).toBe("a [REDACTED] b [REDACTED]");
  });

  it.each(["p!ss'(w)ord~1", "a:b/c d@e", "[p]^w|d`{x}", "50%25 off*", "naïve & 😀=+$,;?#\\"])(
    "are masked as the encoders of URLs and forms write them: %j",
    (odd) => {
      const own = createRedactor({ secrets: [odd] });
      const encoders: ((text: string) => string)[] = [
        ...[encodeURIComponent, encodeURI, escapeAll],
        (text) => new URLSearchParams({ p: text }).toString().slice(2),
        (text) => encodeURI(text).replaceAll("%20", "+"),
        (text) => encodeURIComponent(text).replaceAll("%20", "+"),
        ...["http://h/?", "http://h/#", "x://h/?", "x:"].map((before) => (text: string) => hrefOf(before, text)),
      ];

      for (const encode of encoders) {
        for (const text of [encode(odd), encode(odd).replace(/%../g, (byte) => byte.toLowerCase())]) {
          expect(own.redact(`a=${text}&b`)).toBe("a=[REDACTED]&b");
          const rule = text === odd ? "secrets[0]" : "secrets[0]:url";
          expect(own.redactWithManifest(text).manifest).toEqual([{ pointer: "", by: "declared", rule }]);
        }
      }
    },
  );

  it.each(["Pässwörd-2024", "a<b>c&d-secret", "abc/def/ghi=", 'a"b\\c\td\u0001', "🔑key'🔑", "\\\\\\\\u0041n"])(
    "are masked as the writers of JSON write them: %j",
    (odd) => {
      const own = createRedactor({ secrets: [odd] });
      const written = JSON.stringify(odd).slice(1, -1);
      const asciiOnly = written.replace(/[^ -~]/g, escapeUnit);
      const forHtml = written.replace(/[<>&'=+`]/g, escapeUnit);
      const withSlashes = asciiOnly.replaceAll("/", "\\/");
      const upper = withSlashes.replace(/(?<=[^\\]\\u)[\da-f]{4}/g, (digits) => digits.toUpperCase());

      for (const text of [written, asciiOnly, forHtml, withSlashes, upper]) {
        expect(JSON.parse(`"${text}"`)).toBe(odd);
        expect(own.redact(`{"a":"${text}"}`)).toBe('{"a":"[REDACTED]"}');
        const rule = text === odd ? "secrets[0]" : "secrets[0]:json";
        expect(own.redactWithManifest(text).manifest).toEqual([{ pointer: "", by: "declared", rule }]);
      }
    },
  );

  it("are masked in the user, the path and the query of a URL", () => {
    const own = createRedactor({ secrets: ["a:b/c d@e"] });
    const url = new URL("https://h/a:b/c d@e?q=a:b/c d@e");
    url.username = "a:b/c d@e";

    expect(own.redact(url.href)).toBe("https://[REDACTED]@h/[REDACTED]?q=[REDACTED]");
    expect(own.redact("a%3ab%2fc+d%40e")).toBe("[REDACTED]");
  });

  it("are masked in base64 of a longer text, whatever goes before and after", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (before, after) => {
        for (const encoding of ["base64", "base64url"] as const) {
          const text = Buffer.from(before + secret + after).toString(encoding);
          const redacted = redactor.redact(text);
          expect(redacted).toContain("[REDACTED]");
          expect(Buffer.from(String(redacted), "base64").toString()).not.toContain(secret);
        }
      }),
    );
  });

  it("are masked in base64 of a longer text from five bytes on", () => {
    const texts = ["hunte", "hunter", "hunter2", "pä55"];
    const own = createRedactor({ secrets: texts });

    for (const text of texts) {
      for (const around of ["u:", "us:", "usr:", ""]) {
        expect(own.redact(Buffer.from(`${around}${text}:z`).toString("base64"))).toContain("[REDACTED]");
      }
    }
  });

  it("are masked in keys, in numbers and in the text of errors", () => {
    const { value, manifest } = redactor.redactWithManifest({
      [secret]: 1,
      n: 40123456,
      big: 140123456n,
      other: 4012345,
      error: new Error(`no ${secret}`),
    });

    expect(value).toEqual({
      "[REDACTED]": 1,
      n: "[REDACTED]",
      big: "1[REDACTED]",
      other: 4012345,
      error: { name: "Error", message: "no [REDACTED]" },
    });
    expect(manifest.map(({ pointer }) => pointer)).toEqual(["/[REDACTED]", "/big", "/error/message", "/n"]);
  });

  it("leave no part of the longer one when one holds the other", () => {
    const nested = createRedactor({ secrets: ["abcd", "abcdefgh"] });

    expect(nested.redact("abcdefgh abcd")).toBe("[REDACTED] [REDACTED]");
    const odd = createRedactor({ secrets: ["a!b!", 'a!b!"'] });
    for (const text of ['a!b!"', 'a!b!\\"', "a%21b!%22"])
      expect(odd.redact(`${text} a!b!`)).toBe("[REDACTED] [REDACTED]");
  });

  it("leave no part of the other when one begins inside the other", () => {
    const short = "prefix-abc123";
    const long = "abc123-long-tail-of-a-second-secret";
    const both = `${short}${long.slice(6)}`;
    const overlapping = createRedactor({ secrets: [short, long] });

    expect(overlapping.redact(`x=${both} y`)).toBe("x=[REDACTED] y");
    expect(overlapping.redactWithManifest(both).manifest.map(({ rule }) => rule)).toEqual(["secrets[0]", "secrets[1]"]);
    expect(overlapping.redact(`${short}${long}`)).toBe("[REDACTED][REDACTED]");
    for (const encoding of ["hex", "base64", "base64url"] as const) {
      const encoded = overlapping.redact(Buffer.from(both).toString(encoding));
      // The base64 of what stands at the end holds bits that may be of something else.
      expect(encoded).toMatch(/^\[REDACTED\].{0,2}$/);
    }
    const url = createRedactor({ secrets: ["%25%25", "%%%%", "b/c d", "xa/b"] });
    expect(url.redact("%25%25%25%25")).toBe("[REDACTED]");
    expect(url.redact("xa%2fb%2Fc+d")).toBe("[REDACTED]");
    expect(createRedactor({ secrets: ["aaaa"] }).redact("aaaaa")).toBe("[REDACTED]");
  });

  it("are masked where they hold the mask, or begin or end with a part of it", () => {
    const own = createRedactor({ secrets: ["pa**ss", "*word", "key*"], mask: "**" });

    for (const text of ["pa**ss", "x**word y", "a key** b", "pa**ss*word"]) {
      const once = String(own.redact(text));
      expect(once).not.toMatch(/pa\*\*ss|\*word|key\*/);
      expect(own.redact(once)).toBe(once);
    }
  });

  it("leave nothing of themselves, and nothing for the next time, however they overlap", { timeout: 60_000 }, () => {
    const letters = fc.constantFrom("a", "b", "%", "/", "*");
    const some = (minLength: number, maxLength: number) => fc.string({ unit: letters, minLength, maxLength });
    const secrets = fc.array(some(4, 7), { minLength: 1, maxLength: 4 });
    const pieces = fc.oneof(fc.nat(3), some(1, 5), fc.constantFrom("[REDACTED]", "**", "%2f", "%25", "\\/", "\\u002F"));

    fc.assert(
      fc.property(
        secrets,
        fc.array(pieces, { maxLength: 8 }),
        fc.constantFrom("[REDACTED]", "**"),
        (own, parts, mask) => {
          const text = parts.map((part) => (typeof part === "number" ? own[part % own.length] : part)).join("");
          const { redact } = createRedactor({ secrets: own, mask });
          const once = String(redact(text));
          expect(own.filter((one) => once.includes(one))).toEqual([]);
          expect(redact(once)).toBe(once);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it.each([["a"], ["ab"], ["aaab"], ["%2"], ["%25"], ["\\"]])(
    "are looked for in a megabyte of %j",
    { timeout: 60_000 },
    (piece) => {
      const own = createRedactor({
        secrets: ["aaaa", `${"a".repeat(40)}b`, "abababab", "%25%25", "%%%%%b", `${"\\".repeat(40)}b`],
      });
      const once = own.redact(piece.repeat(2 ** 20 / piece.length));

      expect(own.redact(once)).toBe(once);
    },
  );

  it("are masked in any alphabet, lone surrogates too", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 4 }), fc.string(), (text, around) => {
        fc.pre(!"[REDACTED]".includes(text));
        const own = createRedactor({ secrets: [text] });
        expect(String(own.redact(around + text + around)).replaceAll("[REDACTED]", "")).not.toContain(text);
      }),
    );
    expect(createRedactor({ secrets: ["abc\ud800"] }).redact("abc\ud800")).toBe("[REDACTED]");
  });

  it("have at least four characters; the refusal does not repeat them", () => {
    const refusal = refusalOf(() => createRedactor({ secrets: ["abcd", "xyz"] }));

    expect(refusal).toBe("secrets[1] has fewer than 4 characters");
    expect(redactor.redact("xyz")).toBe("xyz");
  });

  it.each(["hunter2", "<hunter2>", "[68756e74657232]", "hunter2hunter2"])("are not shown by the mask %j", (mask) => {
    expect(refusalOf(() => createRedactor({ secrets: ["other", "hunter2"], mask }))).toMatch(
      /^mask contains secrets\[1\](?::hex)?$/,
    );
    expect(refusalOf(() => createRedactor({ secrets: ["other", "REDA"] }))).toBe("mask contains secrets[1]");
  });

  it("of four bytes do not make fragments of base64 match ordinary text", () => {
    const short = createRedactor({ secrets: ["abcd"] });

    expect(short.redact(Buffer.from("abcd").toString("base64"))).toBe("[REDACTED]");
    expect(short.redact("a FiY2 b, YWJj, hYmNk")).toBe("a FiY2 b, YWJj, hYmNk");
  });
});

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function escapeAll(text: string): string {
  return Buffer.from(text)
    .toString("latin1")
    .replace(/[^\w.-]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);
}

/** The end of a URL, without what would begin its next part. */
function hrefOf(before: string, text: string): string {
  const whole = before + text.replace(/[?#]/g, encodeURIComponent);
  return new URL(whole).href.slice(new URL(before).href.length);
}

function refusalOf(create: () => unknown): string | undefined {
  try {
    create();
  } catch (error) {
    if (isEocError(error) && error.code === "invalid_option") return error.message;
  }
  return undefined;
}
