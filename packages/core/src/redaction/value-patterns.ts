/** A shape of secret values. Every pattern takes linear time: no nested quantifier, and nothing ambiguous before an end it can miss. */
export interface ValuePattern {
  /** Stands in manifests. */
  readonly name: string;
  /**
   * Three characters each, one of which every match contains: case aside, `0` for any digit, a space also for the start of the text,
   * `?` for anything that is no letter, digit, space or one of `-_/`. At least two more characters of the match come after it.
   */
  readonly hints: readonly string[];
  /** How many times a hint is in every match. Only of the last shape. @defaultValue 1 */
  readonly hintsInMatch?: number | undefined;
  /** A character that every match contains. */
  readonly needs?: string;
  /** Global. Group 1, where there is one, is kept; the rest of the match is the secret. */
  readonly pattern: RegExp;
  /** Whether what the pattern found is a secret; everything is when absent. `kept` is group 1. */
  readonly accept?: (secret: string, kept: string) => boolean;
}

/** The built-in shapes, in the order in which they are applied. Made on demand, so that nothing runs at import. */
export function builtInPatterns(): readonly ValuePattern[] {
  return [
    // A block that was cut off counts to the end of the text.
    {
      name: "pem",
      hints: ["---"],
      pattern: /-----BEGIN(?:[ +]|%20)[A-Z0-9 +%]{1,40}-----[\s\S]*?(?:-----END(?:[ +]|%20)[A-Z0-9 +%]{1,40}-----|$)/g,
    },
    // The password part only: host and user stay readable.
    {
      name: "url_password",
      hints: ["://"],
      needs: "@",
      // A quotation mark is of the password unless what follows ends a quotation.
      pattern:
        /((?<=[a-z0-9+.-]):\/\/[^\s/?#:@"'<>]{0,256}:)(?:[^\s/?#"'<>]+|(?:[^\s@"'<>]|["'<>](?![\s,:;)}\]>/\\])){1,256})(?=@)/gi,
      // A port and what comes after it, with an @ further on.
      accept: (secret) => !/^\d{1,5}[/?#"'<>]/.test(secret),
    },
    {
      name: "oracle_password",
      hints: ["c?o"],
      needs: "@",
      pattern: /(jdbc:oracle:[a-z]{1,8}:[^\s/@]{1,64}\/)[^\s/@"'<>]+(?=@)/gi,
    },
    {
      name: "url_user_token",
      hints: ["://"],
      needs: "@",
      pattern: /(:\/\/)[^\s/?#:@"'<>]{20,}(?=@)/g,
      accept: (secret) => /\d/.test(secret),
    },
    {
      name: "url_query",
      hints: ["?ke", "?si", "?au", "?pa", "?pw", "?sa", "?hm"],
      needs: "=",
      pattern: /([?&](?:key|sig|auth|pass|pw|sas|hmac)=)[^\s&"'<>]+/gi,
    },
    {
      name: "authorization",
      hints: ["rer", "sic"],
      pattern: new RegExp(`(${begin("\\W", "(?:bearer|basic)")}(?:[ \\t]|%20){1,3})[\\w.~+/=-]{3,}`, "gi"),
      accept: (secret, kept) => (/^bea/i.test(kept) ? isBearerToken(secret, kept) : isBasicCredential(secret)),
    },
    {
      name: "jwt",
      hints: ["eya", "eye", "eyj"],
      pattern: starting("[^\\w-]", "ey[AEJ]", /[\w-]{5,}\.[\w-]{4}[\w.-]*/),
    },
    {
      name: "curl_user",
      hints: [" -u", "?-u", "--u", "--p"],
      pattern: /((?<!\S)(?:-u|--user|--proxy-user)[ =]["']?[^\s:"']{1,64}:)[^\s"']+/g,
      // `-u 1000:1000` is a user and a group.
      accept: (secret) => /\D/.test(secret),
    },
    {
      name: "aws_secret_key",
      hints: ["kia", "sia"],
      pattern: new RegExp(
        `(${begin(NO_WORD, "A[KS]IA")}[A-Z0-9]{16}[^A-Za-z0-9/+]{1,8})[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])`,
        "g",
      ),
    },
    {
      name: "aws_access_key_id",
      hints: ["kia", "sia", "bia", "cca"],
      pattern: word("A(?:[KSB]I|CC)A", /[A-Z0-9]{16}(?![A-Za-z0-9])/),
    },
    { name: "github_token", hints: ["hp_", "ho_", "hu_", "hs_", "hr_"], pattern: opaque("gh[pousr]_") },
    { name: "github_token", hints: ["b_p"], pattern: opaque("github_pat_") },
    {
      name: "gitlab_token",
      hints: ["lpa", "ldt", "lrt", "lpt", "lcb", "lft", "lff", "soa", "gla", "mt-", "oas"],
      pattern: opaque("gl(?:pat|dt|rt|rtr|ptt|cbt|ft|ffct|soat|agent|imt|oas)-"),
    },
    {
      name: "slack_token",
      hints: ["xox", "xap"],
      pattern: word("x(?:ox[a-z]|app)", /(?:\.xox[a-z])?-[\w-]{10,}/),
    },
    {
      name: "webhook_url",
      hints: ["ks.", "/we", "k.o"],
      pattern:
        /((?:hooks\.slack\.com\/(?:services|workflows)|discord(?:app)?\.com\/api\/webhooks|webhook\.office\.com)\/)[\w/@.-]+/gi,
    },
    {
      name: "stripe_key",
      hints: ["k_l", "k_t", "hse"],
      pattern: word("(?:[sr]k_(?:live|test)|whsec)_", /[A-Za-z0-9]{10,}/),
    },
    { name: "anthropic_key", hints: ["sk-"], pattern: opaque("sk-ant-") },
    {
      name: "openai_key",
      hints: ["sk-"],
      pattern: opaque("sk-"),
      // Long hyphenated names begin so too.
      accept: (secret) => /\d/.test(secret) && /[A-Z]|[a-z0-9]{20}/.test(secret.slice(3)),
    },
    { name: "google_key", hints: ["aiz"], pattern: word("AIza", /[\w-]{30,}/) },
    { name: "google_key", hints: ["ya0", "goc"], pattern: word("(?:ya29\\.|GOCSPX-)", /[\w-]{10,}/) },
    { name: "npm_token", hints: ["npm"], pattern: word("npm_", /[A-Za-z0-9]{20,}/) },
    { name: "sendgrid_key", hints: ["sg."], pattern: word("SG\\.", /[\w-]{16,}\.[\w-]{16,}/) },
    {
      name: "twilio_key",
      hints: ["sk0", "ska", "skb", "skc", "skd", "ske", "skf"],
      pattern: word("SK", /[0-9a-f]{32}(?![A-Za-z0-9])/),
    },
    {
      name: "telegram_token",
      hints: ["?aa"],
      pattern: starting("\\D", "\\d", /\d{7,9}:AA[\w-]{30,}/),
    },
    { name: "mailgun_key", hints: ["ey-"], pattern: word("key-", /[0-9a-f]{32}(?!\w)/) },
    {
      name: "vendor_token",
      hints: VENDOR_HINTS.split(" "),
      pattern: opaque(VENDOR_PREFIXES),
      accept: (secret) => /\d/.test(secret),
    },
    {
      name: "card_number",
      hints: ["000"],
      // Before its last two characters, in four digits four times and in six between four and four; thirteen in a row have more.
      hintsInMatch: 6,
      pattern: starting(
        "[^\\w.+-]",
        "[2-6]\\d{3}",
        /(?:\d{9,12}|[ -]\d{4}[ -]\d{4}[ -]\d{4}|[ -]\d{6}[ -]\d{4,5})(?![\w-])/,
      ),
      accept: isCardNumber,
    },
  ];
}

/** Replicate, Hugging Face, PyPI, DigitalOcean, Shopify, Square, Linear, Notion, Vault, Docker Hub, Postman, Figma, Grafana … */
const VENDOR_PREFIXES =
  "(?:hf_|r8_|pypi-AgE|do[opr]_v1_|shp(?:at|ca|pa|ss)_|sq0[a-z]{3}-|lin_(?:api|oauth)_|ntn_|hv[bsr]\\.|dckr_(?:pat|oat)_|PMAK-|fig[doru]_|" +
  "gl(?:sa|c)_|gsk_|xai-|pplx-|sbp_|sb_secret_|AGE-SECRET-KEY-1|rzp_(?:live|test)_|dapi|NRAK-|dp\\.(?:pt|st|ct|sa)\\.|dt0c01\\.|" +
  "sntr[yu]s_|pscale_(?:tkn|pw|oauth)_|ATATT3|ATCTT3|EAACEdEose0cBA|tfp_|pat-na1-|rubygems_|cio_|fly_|FlyV1_|vercel_|tskey-|ops_ey)";

const VENDOR_HINTS =
  "hf_ r0_ ypi v0_ hpa hpc hpp hps sq0 n_a n_o ntn hvb hvs hvr kr_ ak- gd_ go_ gr_ gu_ sa_ lc_ gsk xai plx sbp sb_ y-0 rzp dap nra " +
  "dp. t0c snt psc tt0 aac tfp na0 yge cio ly_ yv0 cel tsk s_e";

/** What ends with a letter or digit and is none: escapes as in JSON, percent-encoded once or twice, and colours of a terminal. */
const ESCAPES =
  "\\\\[nrtbfv0]|\\\\u[\\dA-Fa-f]{4}|\\\\x[\\dA-Fa-f]{2}|%[\\dA-Fa-f]{2}|%25[\\dA-Fa-f]{2}|\\[[\\d;]{0,16}[mK]";

const NO_WORD = "[^A-Za-z0-9]";

/**
 * A prefix at the start of a text, after one of these characters, or after an escape. To look behind only where the prefix is takes a
 * fraction of the time: engines are fast at finding that.
 */
function begin(after: string, prefix: string): string {
  return `${prefix}(?<=(?:^|${after}|${ESCAPES})${prefix})`;
}

function starting(after: string, prefix: string, rest: RegExp): RegExp {
  return new RegExp(begin(after, prefix) + rest.source, "g");
}

/** A prefix at the start of a word, and the rest. */
function word(prefix: string, rest: RegExp): RegExp {
  return starting(NO_WORD, prefix, rest);
}

/** A prefix at the start of a word, then at least sixteen characters of the usual alphabet. */
function opaque(prefix: string): RegExp {
  return word(prefix, /[\w-]{16,}/);
}

/** Words that follow "bearer" and "basic" in prose. */
const PROSE =
  /^(?:tokens?|auth|authentication|authorization|credentials?|scheme|header|format|type|realm|access|error|required|missing)\b/i;

function isBearerToken(secret: string, kept: string): boolean {
  if (PROSE.test(secret)) return false;
  return /[\d~+/=_]|[a-z][A-Z]|\w\.\w/.test(secret) || secret.length >= (kept.startsWith("Bearer") ? 6 : 16);
}

function isBasicCredential(secret: string): boolean {
  if (PROSE.test(secret)) return false;
  return /\d|=$/.test(secret) || (secret.length % 4 === 0 && secret.length >= 8 && /[a-z][A-Z]/.test(secret));
}

/** The prefixes and lengths of the large card networks, and a Luhn checksum that holds. */
function isCardNumber(text: string): boolean {
  const digits = text.replace(/\D/g, "");
  if (
    !/^(?:4\d{12}(?:\d{3})?|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|6(?:011|5\d\d)\d{12}|35\d{14}|3[068]\d{12})$/.test(
      digits,
    )
  )
    return false;
  let sum = 0;
  for (let index = 0; index < digits.length; index++) {
    const digit = Number(digits[digits.length - 1 - index]) * (index % 2 === 0 ? 1 : 2);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return sum % 10 === 0;
}
