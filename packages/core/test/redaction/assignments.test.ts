import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAssignmentMasker } from "../../src/redaction/assignments.js";
import { createRedactor } from "../../src/redaction/redactor.js";
import { createGate } from "../../src/redaction/text.js";

const { redact } = createRedactor();

/** Before, and after. */
const assignments: readonly (readonly [before: string, after: string])[] = [
  ["password=hunter2", "password=[REDACTED]"],
  ["pwd=x", "pwd=[REDACTED]"],
  ["pin:1", "pin:[REDACTED]"],
  [" pwd=x", " pwd=[REDACTED]"],
  ["a pwd=x", "a pwd=[REDACTED]"],
  ["a pin x1y2z3", "a pin [REDACTED]"],
  ["PASSWORD: hunter2", "PASSWORD: [REDACTED]"],
  ["token => hunter2", "token => [REDACTED]"],
  ["secret := hunter2", "secret := [REDACTED]"],
  ["export DB_PASSWORD=hunter2 && ls", "export DB_PASSWORD=[REDACTED] && ls"],
  ["user=bob,password=hunter2,host=x", "user=bob,password=[REDACTED],host=x"],
  ["password=hun,ter2, user=bob", "password=[REDACTED], user=bob"],
  ["password=hunter2,", "password=[REDACTED],"],
  ["Server=db;Pwd=hunter2;Timeout=30", "Server=db;Pwd=[REDACTED];Timeout=30"],
  ["login(user, password=hunter2)", "login(user, password=[REDACTED])"],
  ["/login?password=hunter2&x=1", "/login?password=[REDACTED]&x=1"],
  ["api key: hunter2x", "api key: [REDACTED]"],
  ["pin: 1234", "pin: [REDACTED]"],
  ["password: |correct", "password: [REDACTED]"],
  ["password=|", "password=[REDACTED]"],
  ["password: correcthorse", "password: [REDACTED]"],
  ["{password: correcthorse}", "{password: [REDACTED]}"],
  ["password: correcthorse\nuser: bob", "password: [REDACTED]\nuser: bob"],
  ['{"password": "hun\\"ter2", "n": 1}', '{"password": "[REDACTED]", "n": 1}'],
  ["{'token': 'hunter2'}", "{'token': '[REDACTED]'}"],
  ['{\\"token\\": \\"hunter2\\"}', '{\\"token\\": \\"[REDACTED]\\"}'],
  ['{"password": "hunter2', '{"password": "[REDACTED]'],
  ['\\"token\\": \\"hunter2', '\\"token\\": \\"[REDACTED]'],
  ['{"tokens": ["a", {"b": "]"}], "n": 1}', '{"tokens": [REDACTED], "n": 1}'],
  ['{"credentials": {"user": "bob", "pass": "x"', '{"credentials": [REDACTED]'],
  ["<password>hunter2</password>", "<password>[REDACTED]</password>"],
  ["<ns:AuthToken>hunter2</ns:AuthToken>", "<ns:AuthToken>[REDACTED]</ns:AuthToken>"],
  ["deploy --password correct --force", "deploy --password [REDACTED] --force"],
  ["tool --password 'hun ter' -v", "tool --password '[REDACTED]' -v"],
  ['tool --password "hun ter" -v', 'tool --password "[REDACTED]" -v'],
  ["tool --pin '12' -v", "tool --pin '[REDACTED]' -v"],
  ['tool -password \\"hun ter\\" -v', 'tool -password \\"[REDACTED]\\" -v'],
  ["tool --password 'hun ter", "tool --password '[REDACTED]"],
  ["tool --api-key=hunter2", "tool --api-key=[REDACTED]"],
  ["the password 'correct' is old", "the password '[REDACTED]' is old"],
  ["HTTP 401: token abc123 rejected", "HTTP 401: token [REDACTED] rejected"],
  ["the secret is hunter2", "the secret is [REDACTED]"],
  ['<add key="ApiKey" value="hunter2" />', '<add key="ApiKey" value="[REDACTED]" />'],
  ["Authorization: Bearer abc\nHost: x", "Authorization: [REDACTED]\nHost: x"],
  ["-H 'Authorization: Basic abc' -v", "-H 'Authorization: [REDACTED]' -v"],
  ['Proxy-Authorization: Digest user="bob", response="x"', "Proxy-Authorization: [REDACTED]"],
  ["Authorization: abc123", "Authorization: [REDACTED]"],
  ["Cookie: sid=abc; theme=dark", "Cookie: [REDACTED]"],
  ["Set-Cookie: id=abc; Path=/ \r\nHost: x", "Set-Cookie: [REDACTED] \r\nHost: x"],
  ["token=a secret=b", "token=[REDACTED] secret=[REDACTED]"],
  ["DB_PASS=hunter2 SMTP_PASS='hunter2'", "DB_PASS=[REDACTED] SMTP_PASS='[REDACTED]'"],
  ["SMTP_PASS=123456", "SMTP_PASS=[REDACTED]"],
  ["pass: hunter2", "pass: [REDACTED]"],
  ['{"user":"bob","pass":"hunter2"}', '{"user":"bob","pass":"[REDACTED]"}'],
  ["smtp --pass correct --force", "smtp --pass [REDACTED] --force"],
  ["<pass>hunter2</pass>", "<pass>[REDACTED]</pass>"],
  ["next=%2Fcb%3Ftoken%3Dabc123&x=1", "next=%2Fcb%3Ftoken%3D[REDACTED]&x=1"],
  ["q=%7B%22token%22%3A%22abc%22%7D&x=1", "q=%7B%22token%22%3A[REDACTED]&x=1"],
  ["%20pin%3a1234", "%20pin%3a[REDACTED]"],
  ["a\\npwd=hunter2", "a\\npwd=[REDACTED]"],
  ["a\\u00e9pin: 1234", "a\\u00e9pin: [REDACTED]"],
  ["\x1b[1;32mpwd=hunter2", "\x1b[1;32mpwd=[REDACTED]"],
  ["x\\nAuthorization: Bearer abc", "x\\nAuthorization: [REDACTED]"],
  ["\\token=hunter2", "\\token=[REDACTED]"],
];

const harmless = [
  ...[
    "password=",
    "password: ",
    'password: ""',
    "password",
    "token=null",
    "secret: undefined",
    "tokens: 966",
    "max tokens=1,024",
  ],
  ...[
    "token: expired",
    "password: must be longer",
    "token: expected a comma",
    "authorization: denied for viewer",
    "cookie: missing",
  ],
  ...[
    "a token bucket",
    "secret santa",
    "token 42",
    "token > 5",
    "token -> value",
    "token 'a b' is odd",
    "token '<' is odd",
    "token ''",
    "--token ''",
    "private_key: |\n  MIIEabc\n  second",
    "private_key: |-\r\n  MIIEabc",
    "private_key: |2+ # of 2024\n    MIIEabc",
    "private_key: |\\n  MIIEabc\\n  second",
    "private_key: >-\n  MIIEabc",
    "tool --token | less",
    "- token 'a b' is odd",
    "one-time token 'a b' is odd",
  ],
  ...[
    "std::secret::Token",
    "secret%3A%2F%2Fpath",
    "secret://path",
    "s3://bucket/secrets/v2abc",
    "author: Jane1",
    "keyboard: qwerty1",
    "spin: 4",
    "C:\\new\\spin: 4",
    "bypass: allowed1",
    "compass=N12",
    "passenger: Jane1",
    "passed: 3, pass: 312, passes=4",
    "pass: ok, pass: all tests, pass=true, pass: 100%, pass: 3/4",
    "PASS test/s3.test.ts (5.2 s)",
    "the pass 'Season2026' and pass ab12cd",
    "dkim=pass header.d=example2.com",
    "pass_through: post-only",
    "--token --force",
  ],
  ...[
    "<token><token>",
    "x > token>y<",
    "max_tokens=1024",
    "token_type: bearer1",
    "password=[REDACTED]",
    "token: [REDACTED] again",
  ],
];

describe("S9.3 assignments in running text", () => {
  it.each(assignments)("mask the secret of %j", (before, after) => {
    expect(redact(before)).toBe(after);
  });

  it.each(harmless)("leave %j alone", (text) => {
    expect(redact(text)).toBe(text);
  });

  it("follow the user's own names, and spare the allowed ones", () => {
    const own = createRedactor({ keys: ["customer_ref", "x", "暗号"], allowKeys: ["csrf_token"] });

    expect(own.redact("customer_ref=17")).toBe("customer_ref=[REDACTED]");
    expect(own.redact("Customer-Ref: 17")).toBe("Customer-Ref: [REDACTED]");
    expect(own.redact("csrf_token=17")).toBe("csrf_token=17");
    expect(own.redact("x=17 of 20")).toBe("x=17 of 20");
  });

  it("are let through by the gate", () => {
    const { hints } = createAssignmentMasker("[REDACTED]", () => true, []);
    const gate = createGate([{ hints }]);

    for (const [before] of assignments) expect([before, gate(before)]).toEqual([before, 1]);
  });
});

describe("assignments that are settled", () => {
  const piece = fc.constantFrom(
    ...[
      "password",
      "pin",
      "token",
      "api_key",
      "author",
      "tokens",
      "Authorization",
      "Set-Cookie",
      "value",
      "was",
      "redacted",
    ],
    ...[
      "=",
      ":",
      "=",
      ": ",
      " = ",
      "=>",
      ":=",
      "==",
      "::",
      "%3D",
      "=value=",
      ": is ",
      "]=",
      ">",
      "'",
      '"',
      "\\",
      ",",
      ")",
    ],
    ...["hunter2", "s3cr3t", "null", "Bearer abc1234", "[a]b", "{x", "[REDACTED]", "[REDACTED]x", "12", "expired"],
    ...[" ", " ", " ", "\n", "\t", "\u00a0", "[1;", "%20", "\\n", "-"],
  );
  const text = fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join(""));

  it.each([{ own: [] }, { own: ["value", "was", "key_value"] }, { own: ["redacted"] }])(
    "are left alone the next time, with own names $own",
    ({ own }) => {
      const isSecretName = (name: string) => !/author$|tokens$/.test(name);
      const masker = createAssignmentMasker("[REDACTED]", isSecretName, own);
      let settled = 0;

      fc.assert(
        fc.property(text, (before) => {
          const after = masker.mask(before);
          if (after === before || !masker.isSettled()) return;
          settled++;
          expect(masker.mask(after)).toBe(after);
        }),
        { numRuns: 5000 },
      );
      expect(settled > 50).toBe(!own.includes("redacted"));
    },
  );

  it("do not count as such beside any other mask", () => {
    const masker = createAssignmentMasker("[pin=1]", () => true, []);

    expect(masker.mask("pin=2 ")).toBe("pin=[pin=1] ");
    expect(masker.isSettled()).toBe(false);
  });
});

describe("the running time of assignments", { timeout: 60_000 }, () => {
  it.each([
    ...[
      "token:",
      'token:"',
      "token='",
      'token:\\"',
      "token='\\",
      "token `",
      "--token '",
      "--token 'a b' ",
      "cookie:",
      "cookie:a",
      "Authorization: Digest ",
      "<token>",
      "<token>a",
    ],
    ...[
      "password=[",
      "password={",
      'password={"',
      "password=,",
      "token=]",
      "token a ",
      "tokens=1",
      "tokens=1,",
      "api key ",
      "token",
      "token-",
      "password:a ",
      "pass",
      "pass:",
      "%3Dtoken%3A",
      "[1;pin=",
    ],
  ])("lets a megabyte of %j through", (piece) => {
    const text = piece.repeat(2 ** 20 / piece.length);
    const once = redact(text);

    expect(redact(once)).toBe(once);
  });

  it("lets any mixture of its own signs through", () => {
    const pieces = [
      "token",
      "password",
      "cookie",
      "auth",
      ":",
      "=",
      " ",
      '"',
      "'",
      "\\",
      "[",
      "]",
      "{",
      ",",
      "<",
      ">",
      "-",
      "a",
      "1",
      "\n",
      "is ",
    ];

    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 12 }), (some) => {
        const text = some.join("").repeat(1000);
        const once = redact(text);
        expect(redact(once)).toBe(once);
      }),
      { numRuns: 100 },
    );
  });
});
