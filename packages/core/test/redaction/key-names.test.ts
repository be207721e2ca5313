import { describe, expect, it } from "vitest";
import { createKeyJudge, HARMLESS_KEYS, type KeyScope } from "../../src/redaction/key-names.js";

const judge = createKeyJudge({ keys: [], allowKeys: [] });
const scopes = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, judge(name).scope]));
const all = (names: readonly string[], scope: KeyScope) => Object.fromEntries(names.map((name) => [name, scope]));

describe("S9.3 the judgement of a key's name", () => {
  it("takes everything under a name that holds one of the reference's patterns", () => {
    const names = [
      "password",
      "Api-Key",
      "accessToken",
      "DB_PASSWORD",
      "x-auth",
      "xxkeyyy",
      "k_e_y",
      "PRIVATE-KEYs",
      "oauth2",
    ];

    expect(scopes(names)).toEqual(all(names, "all"));
  });

  it("looks through separators, digits for letters and Unicode disguises", () => {
    const names = [
      ...[
        "pass.word",
        "pass/word",
        "se cret",
        "p a s s w o r d",
        "pass–word",
        "sec\\ret",
        "passw0rd",
        "s3cr3t",
        "T0KEN",
      ],
      ...[
        "ＰＡＳＳＷＯＲＤ",
        "pass\u200bword",
        "pass\u00adword",
        "tok\u2060en",
        "paſſword",
        "pássword",
        "PRİVATE",
        "ⓢecret",
        "𝓉oken",
        "🔑key",
      ],
      ...["pаsswоrd", "ТОКЕN", "τοκεn", "ᴛᴏᴋᴇɴ", "pass\u034fword", "ѕеcrеt"],
    ];

    expect(scopes(names)).toEqual(all(names, "all"));
  });

  it("takes only scalars under a name that holds a pattern by accident, as the reference does", () => {
    const names = [
      "monkey",
      "monkeys",
      "author",
      "co_authors",
      "authored_by",
      "keywords",
      "keyboardLayout",
      "secretary",
      "max_tokens",
    ];

    expect(scopes(names)).toEqual(all(names, "scalar"));
  });

  it("takes everything when a harmless word stands beside a secret one", () => {
    const names = ["author_token", "keyboard_password", "monkeySecret", "tokenizer_key"];

    expect(scopes(names)).toEqual(all(names, "all"));
  });

  it("takes data under names of secrets that the reference does not know", () => {
    const names = [
      ...[
        "pwd",
        "passwd",
        "passphrase",
        "pin",
        "p.i.n",
        "otp",
        "totp_code",
        "cvv2",
        "ssn",
        "cookie",
        "cookies",
        "jwt",
        "bearer",
        "creds",
      ],
      ...[
        "session_id",
        "sessionId",
        "connection_string",
        "connStr",
        "database_url",
        "REDIS_URL",
        "seed_phrase",
        "recoveryCodes",
        "sas",
      ],
      ...[
        "card_number",
        "mot_de_passe",
        "Kennwort",
        "set-cookie",
        "pswd",
        "dbpass",
        "2fa_code",
        "jdbc_url",
        "pem",
        "csrf",
      ],
    ];

    expect(scopes(names)).toEqual(all(names, "data"));
  });

  it("takes text under names that are secret only as text", () => {
    const names = [
      "pass",
      "my_pass",
      "salt",
      "nonce",
      "x-amz-signature",
      "certificate",
      "dsn",
      "login",
      "headers",
      "raw_payload",
      "session",
    ];

    expect(scopes(names)).toEqual(all(names, "text"));
  });

  it("takes nothing under other names", () => {
    const names = [
      ...[
        "",
        "--",
        "🙂",
        "status",
        "latency_ms",
        "tok",
        "secre",
        "aut",
        "compass",
        "bypass",
        "passenger",
        "shipping",
        "spinner",
        "mapping",
      ],
      ...[
        "last_login",
        "session_count",
        "pass_count",
        "desalted",
        "announcement",
        "sassy",
        "incredible",
        "sacred",
        "assignment",
        "spinach",
      ],
    ];

    expect(scopes(names)).toEqual(all(names, "none"));
  });

  it("tells which part of the name decided", () => {
    expect(judge("dbPassword").rule).toBe("password");
    expect(judge("s3cret").rule).toBe("secret");
    expect(judge("session-id").rule).toBe("sessionid");
    expect(judge("client_certificate").rule).toBe("certificate");
    expect(judge("raw_body").rule).toBe("rawbody");
  });
});

describe("the user's own names", () => {
  it("match as whole words, in any case, with any separators, in plural, and inside longer names", () => {
    const own = createKeyJudge({ keys: ["customer_ref", "ssn"], allowKeys: [] });

    for (const name of [
      "customer_ref",
      "customerRef",
      "CUSTOMER-REFS",
      "old_customer_ref_2",
      "customer.ref",
      "customerref",
    ]) {
      expect(own(name)).toEqual({ scope: "all", rule: "keys[0]" });
    }
    expect(own("user_ssn")).toEqual({ scope: "all", rule: "keys[1]" });
    for (const name of ["customer", "refcustomer", "customers_reference", "assness"])
      expect(own(name).scope).toBe("none");
  });

  it("may be written in any script", () => {
    const own = createKeyJudge({ keys: ["пароль", "暗号"], allowKeys: [] });

    expect(own("Пароль").scope).toBe("all");
    expect(own("ваш_пароль").scope).toBe("all");
    expect(own("暗号").scope).toBe("all");
    expect(own("пар").scope).toBe("none");
  });

  it("are never masked when allowed, which holds for that name only", () => {
    const allowing = createKeyJudge({ keys: ["ref"], allowKeys: ["max_tokens", "author", "own_ref"] });

    for (const name of ["max_tokens", "maxTokens", "MAX-TOKENS", "Author", "ownRef"])
      expect(allowing(name).scope).toBe("none");
    expect(allowing("author_token").scope).toBe("all");
    expect(allowing("other_ref").scope).toBe("all");
  });
});

describe("HARMLESS_KEYS", () => {
  it("are all masked by the reference's rule, and none any more once allowed", () => {
    const allowing = createKeyJudge({ keys: [], allowKeys: HARMLESS_KEYS });

    expect(new Set(HARMLESS_KEYS).size).toBe(HARMLESS_KEYS.length);
    expect(HARMLESS_KEYS.filter((name) => judge(name).scope !== "scalar")).toEqual([]);
    expect(HARMLESS_KEYS.filter((name) => allowing(name).scope !== "none")).toEqual([]);
  });
});
