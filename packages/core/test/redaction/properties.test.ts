import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RedactionManifest } from "../../src/redaction/manifest.js";
import { createRedactor } from "../../src/redaction/redactor.js";
import { textsIn } from "./texts-in.js";

const CANARY = "c4n4ry-7731";
const DECLARED = "correct horse battery";

const secretKey = fc.constantFrom(
  "password",
  "apiKey",
  "client-secret",
  "TOKEN",
  "ｔｏｋｅｎ",
  "x_auth",
  "pwd",
  "session_id",
  "keys",
);
const secretText = fc.constantFrom(
  ...[
    `Bearer ${CANARY}`,
    `password=${CANARY}`,
    `"token": "${CANARY}"`,
    `https://u:${CANARY}@h/x`,
    `Cookie: a=${CANARY}`,
  ],
  ...[
    `ghp_${CANARY}AbCdEfGh`,
    `--secret ${CANARY}`,
    `-----BEGIN X KEY-----${CANARY}`,
    `<pwd>${CANARY}</pwd>`,
    `/x?sig=${CANARY}`,
  ],
);
const words = fc.array(fc.constantFrom("order", "accepted", "by", "the", "venue", "17", "ok", "retry"), {
  maxLength: 5,
});
const plain = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.bigInt(),
);

/** A value that holds the canary in one of the ways in which secrets occur. */
const planted = fc.oneof(
  fc
    .tuple(secretKey, fc.constantFrom<unknown>(CANARY, [CANARY], { v: [CANARY] }, new Map([["v", CANARY]])))
    .map(([key, value]) => ({ [key]: value })),
  fc.tuple(words, secretText).map(([before, text]) => [...before, text].join(" ")),
  secretText.map((text) => new Error(text)),
  secretText.map((text) => ({ [text]: 1 })),
  fc.constant(`${DECLARED}`),
  fc.constantFrom<unknown>({ name: "password", value: CANARY }, [["x-api-key", CANARY]], {
    field: "token",
    content: [CANARY],
  }),
);

/** The same somewhere inside other data. */
const log = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 6 },
    planted,
    plain,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.string({ unit: "binary", maxLength: 8 }), tie("value"), { maxKeys: 4 }),
    fc.tuple(tie("value"), tie("value")).map(
      ([a, b]) =>
        new Map<unknown, unknown>([
          ["a", a],
          ["b", b],
        ]),
    ),
    fc.array(tie("value"), { maxLength: 3 }).map((items) => new Set(items)),
  ),
})).value;

const masks = fc.constantFrom("[REDACTED]", "***", "<hidden>", "** not shown **", "█", "$&$1");

function redactorWith(mask: string) {
  return createRedactor({ mask, secrets: [DECLARED] });
}

describe("S9.3 properties of redaction", { timeout: 60_000 }, () => {
  it("no planted secret survives, at any depth, in keys or values or the manifest", () => {
    fc.assert(
      fc.property(log, masks, (value, mask) => {
        const redacted = redactorWith(mask).redactWithManifest(value);
        const texts = [...textsIn(redacted.value), ...textsIn(redacted.manifest)];
        expect(texts.filter((text) => text.includes(CANARY) || text.includes(DECLARED))).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  it("the input stays as it was", () => {
    fc.assert(
      fc.property(log, (value) => {
        const before = structuredClone(value);
        redactorWith("*").redactWithManifest(value);
        expect(value).toEqual(before);
      }),
    );
  });

  it("redacting twice is redacting once, whatever the mask", () => {
    fc.assert(
      fc.property(log, masks, (value, mask) => {
        const { redact, redactWithManifest } = redactorWith(mask);
        const once = redact(value);
        expect(redact(once)).toStrictEqual(once);
        expect(redactWithManifest(once).value).toStrictEqual(once);
      }),
      { numRuns: 1000 },
    );
  });

  it("any text at all is redacted once", () => {
    const pieces = fc.constantFrom(
      ...[
        "password",
        "token",
        "Authorization",
        "cookie",
        "Bearer",
        "Basic",
        "=",
        ":",
        " ",
        '"',
        "'",
        "\\",
        "[",
        "]",
        "{",
        "}",
        "(",
        ")",
        ",",
        ";",
      ],
      ...[
        "&",
        "?key=",
        "<",
        ">",
        "</",
        "://",
        "@",
        "-",
        "--",
        "-u",
        "\n",
        "x1",
        "abc",
        "ghp_",
        "a".repeat(20),
        "[REDACTED]",
        "eyJabcdef.abcd",
        "is ",
      ],
    );

    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 14 }), masks, (some, mask) => {
        const { redact } = redactorWith(mask);
        const once = redact(some.join(""));
        expect(redact(once)).toBe(once);
      }),
      { numRuns: 3000 },
    );
  });

  it("every pointer of the manifest points to something that was masked or marked", () => {
    const json = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        planted.filter(
          (value) => !(value instanceof Error) && !textsIn(value).some((text) => text.startsWith("[object")),
        ),
        plain,
        fc.array(tie("value"), { maxLength: 4 }),
        fc.dictionary(fc.string({ maxLength: 6 }), tie("value"), { maxKeys: 4 }),
      ),
    })).value;

    fc.assert(
      fc.property(json, (value) => {
        const { value: copy, manifest } = createRedactor().redactWithManifest(value);
        for (const { pointer } of manifest satisfies RedactionManifest) {
          const masked = [resolve(copy, pointer), pointer.split("/").at(-1)].some((part) =>
            String(part).includes("[REDACTED]"),
          );
          expect([pointer, masked]).toEqual([pointer, true]);
        }
      }),
    );
  });

  it("data without secrets stays equal", () => {
    const harmless = fc.constantFrom(
      "status",
      "latency_ms",
      "items",
      "region",
      "note",
      "n",
      "path",
      "compass",
      "shipping",
    );
    const value = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        words.map((some) => some.join(" ")),
        fc.date().map((date) => (Number.isNaN(date.getTime()) ? "" : date.toISOString())),
        fc.uuid(),
        fc.integer(),
        fc.boolean(),
        fc.webUrl(),
        fc.emailAddress({ localPart: "jane" } as never),
        fc.array(tie("value"), { maxLength: 4 }),
        fc.dictionary(harmless, tie("value"), { maxKeys: 4 }),
      ),
    })).value;

    fc.assert(
      fc.property(value, (some) => {
        const { value: copy, manifest } = createRedactor().redactWithManifest(some);
        expect(manifest).toEqual([]);
        expect(copy).toEqual(some);
      }),
    );
  });
});

function resolve(root: unknown, pointer: string): unknown {
  let value = root;
  for (const token of pointer.split("/").slice(1)) {
    value = (value as Record<string, unknown>)[token.replaceAll("~1", "/").replaceAll("~0", "~")];
  }
  return value;
}
