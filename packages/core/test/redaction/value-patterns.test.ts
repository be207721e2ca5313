import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRedactor } from "../../src/redaction/redactor.js";
import { createGate } from "../../src/redaction/text.js";
import { builtInPatterns } from "../../src/redaction/value-patterns.js";
import { findSuperlinear } from "./linear-regex.js";

const redactor = createRedactor();
const hex = (length: number) => "0123456789abcdef".repeat(4).slice(0, length);
const mixed = (length: number) => "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0z".repeat(4).slice(0, length);

/** A text, what has to be left of it, and the rule that has to say so. */
const secrets: readonly (readonly [rule: string, text: string, left: string])[] = [
  ["pem", `-----BEGIN RSA PRIVATE KEY-----\n${mixed(64)}\n-----END RSA PRIVATE KEY-----\nend`, "[REDACTED]\nend"],
  ["pem", `key: -----BEGIN OPENSSH PRIVATE KEY-----\\n${mixed(64)}`, "key: [REDACTED]"],
  ["pem", `-----BEGIN PGP PRIVATE KEY BLOCK-----${mixed(20)}-----END PGP PRIVATE KEY BLOCK-----`, "[REDACTED]"],
  ["url_password", "postgres://app:hunter2@db:5432/app", "postgres://app:[REDACTED]@db:5432/app"],
  ["url_password", "see redis://:hunter2@cache:6379/0 now", "see redis://:[REDACTED]@cache:6379/0 now"],
  ["url_password", "mongodb+srv://u:p@ss@host/x", "mongodb+srv://u:[REDACTED]@host/x"],
  ["url_password", "amqp://u:a/b?c@host", "amqp://u:[REDACTED]@host"],
  ["url_password", "postgres://u:hun'ter2@h/x", "postgres://u:[REDACTED]@h/x"],
  ["url_password", "postgres://u:<\"hunter'@h/x", "postgres://u:[REDACTED]@h/x"],
  ["url_password", `["postgres://u:hun<ter'2@h/x","y"]`, `["postgres://u:[REDACTED]@h/x","y"]`],
  ["pem", `-----BEGIN%20PRIVATE%20KEY-----%0A${mixed(64)}%0A-----END%20PRIVATE%20KEY-----&x`, "[REDACTED]&x"],
  ["oracle_password", "jdbc:oracle:thin:scott/tiger@db:1521/x", "jdbc:oracle:thin:scott/[REDACTED]@db:1521/x"],
  ["url_user_token", `https://${mixed(20)}@example.com/x.git`, "https://[REDACTED]@example.com/x.git"],
  ["url_query", "https://example.com/?key=abcdef&x=1", "https://example.com/?key=[REDACTED]&x=1"],
  ["url_query", "/blob?sv=1&sig=abc%3D", "/blob?sv=1&sig=[REDACTED]"],
  ["authorization", "Bearer abcdef", "Bearer [REDACTED]"],
  ["authorization", "sent bearer abc.def, then left", "sent bearer [REDACTED], then left"],
  ["authorization", "bearer%20abc.def", "bearer%20[REDACTED]"],
  ["authorization", `bearer ${"abcdefgh".repeat(2)}`, "bearer [REDACTED]"],
  ["authorization", "Basic dXNlcjpwYXNz", "Basic [REDACTED]"],
  ["authorization", "Basic dXNlcjpwYQ==", "Basic [REDACTED]"],
  ["jwt", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "[REDACTED]"],
  ["jwt", "got eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0 back", "got [REDACTED] back"],
  ["curl_user", "curl -u svc:hunter2 https://example.com", "curl -u svc:[REDACTED] https://example.com"],
  ["curl_user", "--proxy-user svc:hunter2", "--proxy-user svc:[REDACTED]"],
  ["aws_access_key_id", "id AKIAIOSFODNN7EXAMPLE", "id [REDACTED]"],
  ["aws_secret_key", `AKIAIOSFODNN7EXAMPLE:${mixed(40)}`, "[REDACTED]:[REDACTED]"],
  ["github_token", `ghp_${mixed(36)}`, "[REDACTED]"],
  ["github_token", `github_pat_${mixed(40)}`, "[REDACTED]"],
  ["gitlab_token", `glpat-${mixed(20)}`, "[REDACTED]"],
  ["slack_token", `xoxb-${mixed(24)}`, "[REDACTED]"],
  ["webhook_url", "https://hooks.slack.com/services/T0/B0/abc", "https://hooks.slack.com/services/[REDACTED]"],
  ["webhook_url", "https://discord.com/api/webhooks/1/abc", "https://discord.com/api/webhooks/[REDACTED]"],
  ["stripe_key", `sk_live_${mixed(24).replace(/_/g, "")}`, "[REDACTED]"],
  ["stripe_key", `whsec_${mixed(24)}`, "[REDACTED]"],
  ["anthropic_key", `sk-ant-api03-${mixed(40)}`, "[REDACTED]"],
  ["openai_key", `sk-proj-${mixed(40)}`, "[REDACTED]"],
  ["openai_key", `sk-${hex(32)}`, "[REDACTED]"],
  ["google_key", `AIza${mixed(35)}`, "[REDACTED]"],
  ["google_key", `ya29.${mixed(40)}`, "[REDACTED]"],
  ["npm_token", `npm_${mixed(36)}`, "[REDACTED]"],
  ["sendgrid_key", `SG.${mixed(22)}.${mixed(43)}`, "[REDACTED]"],
  ["twilio_key", `SK${hex(32)}`, "[REDACTED]"],
  [
    "telegram_token",
    `https://api.telegram.org/bot123456789:AA${mixed(33)}/x`,
    "https://api.telegram.org/bot[REDACTED]/x",
  ],
  ["telegram_token", `123456789:AA${mixed(33)}`, "[REDACTED]"],
  ["mailgun_key", `key-${hex(32)}`, "[REDACTED]"],
  ["vendor_token", `hf_${mixed(34)}`, "[REDACTED]"],
  ["vendor_token", `dop_v1_${hex(64)}`, "[REDACTED]"],
  ["vendor_token", `hvs.${mixed(24)}`, "[REDACTED]"],
  ["vendor_token", `shpat_${hex(32)}`, "[REDACTED]"],
  ["card_number", "card 4111 1111 1111 1111 declined", "card [REDACTED] declined"],
  ["card_number", "378282246310005", "[REDACTED]"],
  ["card_number", "5555-5555-5555-4444", "[REDACTED]"],
];

/** What may stand before a secret, and ends as a word does. */
const escapes = [
  "\\n",
  "\\t",
  "\\u00eb",
  "\\u000A",
  "\\x1b",
  "%20",
  "%3D",
  "%2520",
  "\x1b[32m",
  "\x1b[1;31m",
  "\\u001b[0K",
  "\x1b[m",
];

/** Texts that look like one of the shapes. */
const harmless = [
  ["a port and an @", "http://example.com:8080/@jane"],
  ["a port and a mail address", "http://example.com:8080/?to=jane@example.com"],
  [
    "a port in quotes and a mail address",
    `{"a":"http://h:80","b":"jane@example.com"} url='http://h:80',by='jane@example.com'`,
  ],
  [
    "a port in a tag and a mail address",
    `<a href="http://h:80">jane@example.com</a><u>http://h:80</u><m>jane@example.com</m>`,
  ],
  [
    "a name in quotes and a mail address",
    `{"a":"urn://h:name","b":"jane@example.com"} {\\"a\\":\\"x://h:name\\",\\"b\\":\\"j@e\\"}`,
  ],
  ["a user without a password", "ssh://git@github.com/example/project.git"],
  ["prose about bearers", "the bearer of this letter; bearer token missing; Bearer authentication"],
  ["prose about basics", "Basic usage, basic JavaScript, Basic authentication"],
  ["a file name with dots", "eyewear.catalogue.frames"],
  ["user and group numbers", "docker run -u 1000:1000 image"],
  ["a name that begins with sk-", "sk-learn-style-estimators-with-long-names"],
  ["an npm setting", "npm_config_cache_directory_override_path"],
  ["a hyphenated name", "key-value-pairs-are-separated-by-commas"],
  ["a name that begins as a vendor's", "fly_by_wire_controller_settings"],
  ["a number that fails the checksum", "4111 1111 1111 1112"],
  ["a number without a network", "1234567890123452"],
  ["a long number", "41111111111111111111111"],
  ["rules of dashes", "-------- -----BEGIN ----- --------"],
] as const;

describe("S9.3 shapes of secret values", () => {
  it.each(secrets)("%s: %j", (rule, text, left) => {
    const { value, manifest } = redactor.redactWithManifest({ text });

    expect(value).toEqual({ text: left });
    expect(manifest).toContainEqual({ pointer: "/text", by: "value", rule });
  });

  it.each(escapes)("are found right after %j", (before) => {
    for (const [rule, text, left] of secrets) {
      if (!left.startsWith("[") && !/^(?:bearer|basic|[a-z+]+:\/\/\S*:)/i.test(text)) continue;
      expect([rule, redactor.redact(`a${before}${text}`)]).toEqual([rule, `a${before}${left}`]);
    }
  });

  it("are found in JSON that holds them in a text of more than one line", () => {
    const token = `ghp_${mixed(36)}`;

    expect(redactor.redact(JSON.stringify({ note: `use\n${token}\nnow` }))).toBe('{"note":"use\\n[REDACTED]\\nnow"}');
    expect(redactor.redact(JSON.stringify(JSON.stringify(`é\t${token}`)))).not.toContain(token);
  });

  it.each(harmless)("leave %s alone", (_what, text) => {
    expect(redactor.redact(text)).toBe(text);
  });

  it("all have an example here", () => {
    const shown = new Set(secrets.map(([rule]) => rule));

    expect(
      builtInPatterns()
        .map(({ name }) => name)
        .filter((name) => !shown.has(name)),
    ).toEqual([]);
  });
});

describe("the patterns' running time", { timeout: 60_000 }, () => {
  // The run before the last @ is read once for each URL, and no URL can begin inside it.
  const known = new Map([["url_password", [`[^\\s/?#"'<>]+ overlaps (?=@)`]]]);

  it.each(builtInPatterns().map((shape) => [shape.name, shape.pattern] as const))("is linear: %s", (name, pattern) => {
    expect(findSuperlinear(pattern)).toEqual(known.get(name) ?? []);
  });

  it("is told from quadratic and exponential patterns", () => {
    expect(findSuperlinear(/(?:a+)+b/)).not.toEqual([]);
    expect(findSuperlinear(/\w+\d/)).not.toEqual([]);
    expect(findSuperlinear(/\s*,?\s*;/)).not.toEqual([]);
    expect(findSuperlinear(/a*(?:b|a)c/)).not.toEqual([]);
    expect(findSuperlinear(/(?:a{1,9}){2,9}[b-d]+e/)).toEqual([]);
  });

  it.each([
    ...[
      "-----BEGIN A-----",
      "-----BEGIN ",
      "x://x:",
      "x://x:1/",
      "x://x:'a",
      "-----BEGIN+A%20",
      "[0;1",
      "%25",
      "\\u000",
      "://aaaaaaaaaaaaaaaaaaaa",
      "a+",
      "ey-",
      "eyJaaaaa.",
      "eyJaaaaaaaa",
    ],
    ...[
      "bearer ",
      "Basic a",
      "sk-a-",
      "sk-ant-",
      "ghp_",
      "npm_a",
      "SG.",
      "1",
      "1 ",
      "4111-",
      "AKIA",
      " -u a:",
      "hf_",
      "xoxb-",
      "?key=",
      "key-0",
    ],
  ])("lets a megabyte of %j through", (piece) => {
    const text = piece.repeat(2 ** 20 / piece.length);

    for (const { pattern } of builtInPatterns()) text.replace(pattern, "");
    expect(redactor.redact(redactor.redact(text))).toEqual(redactor.redact(text));
  });
});

const LOOKAROUND = new RegExp(String.raw`\(\?<?[!=]${nested(4)}\)`, "g");

/** A regular expression for one with groups in groups, so deep at most. */
function nested(depth: number): string {
  const group = depth === 0 ? "" : String.raw`|\(${nested(depth - 1)}\)`;
  return String.raw`(?:\[(?:\\.|[^\]\\])*\]|\\.|[^()[\]\\]${group})*`;
}

describe("the gate before the patterns", () => {
  it("lets every match of a pattern through to it", () => {
    const gate = createGate(builtInPatterns());

    for (const [index, { name, pattern, needs = "" }] of builtInPatterns().entries()) {
      // What cannot be generated, lookarounds, is left to the pattern itself to check.
      const source = pattern.source.replace(LOOKAROUND, "").replace("|$)", ")");
      let matches = 0;
      fc.assert(
        fc.property(
          fc.stringMatching(new RegExp(`^(?:${source})`)),
          fc.oneof({ weight: 3, arbitrary: fc.constantFrom("", " ", "x-", "ü") }, fc.constantFrom(...escapes)),
          (generated, before) => {
            for (const text of [`${before}${generated}`, `${before}${generated}@`]) {
              if (text.search(pattern) < 0) continue;
              matches++;
              expect(gate(text) & (1 << index)).not.toBe(0);
              expect(text).toContain(needs);
            }
          },
        ),
      );
      expect([name, matches > 10]).toEqual([name, true]);
    }
  });

  it("finds no hint that the usual mask brings between a sign and a space", () => {
    const gate = createGate(builtInPatterns());

    for (const beside of "abcdefghijklmnopqrstuvwxyz0 -_/?") {
      for (const sign of "=: ") expect(gate(`${beside}${sign}[REDACTED] ${beside}..`)).toBe(0);
    }
  });

  it("asks for as many digits as a card number has", () => {
    const gate = createGate(builtInPatterns());

    for (const [text, isLet] of [
      ["4111111111111", true],
      ["3782 822463 1000", true],
      ["4111-1111-1111-1111", true],
      ["on 2026-11-10 at 12:30:45.123", false],
      ["error 503 after 1234 ms", false],
    ] as const) {
      expect([text, gate(text) !== 0]).toEqual([text, isLet]);
    }
  });
});
