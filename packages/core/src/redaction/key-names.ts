/**
 * What a key's name decides about its value. `all`: masked whatever it is. `scalar`: masked unless it is a container, which is
 * walked. `data`: masked unless it is null or a boolean. `text`: masked if it is a string. `none`: nothing.
 */
export type KeyScope = "all" | "scalar" | "data" | "text" | "none";

export interface KeyVerdict {
  readonly scope: KeyScope;
  /** The part of the name, or the option, that decided. */
  readonly rule: string;
}

export interface KeyNameOptions {
  readonly keys: readonly string[];
  readonly allowKeys: readonly string[];
}

/**
 * Names that the reference masks although they are harmless, such as `author` and `max_tokens`. The default masks their scalars
 * all the same, because its vectors demand it; `createRedactor({ allowKeys: HARMLESS_KEYS })` leaves them alone.
 */
export const HARMLESS_KEYS: readonly string[] = /* @__PURE__ */ (
  "author authors author_id author_name author_email authored_by authored_at authority authorities authentic " +
  "authenticity authenticated is_authenticated authorized is_authorized auth_method auth_type monkey monkeys " +
  "monkey_patch donkey turkey hockey whiskey secretary secretariat privateer keyboard keyboard_layout keyword " +
  "keywords keynote keyframe keyframes keystroke keystrokes keyspace keymap key_count num_keys primary_key " +
  "foreign_key sort_key partition_key shard_key hash_key range_key group_key cache_key routing_key object_key " +
  "index_key idempotency_key public_key public_keys key_type key_size key_length key_usage key_algorithm " +
  "is_private tokenizer tokenizers tokenize tokenized tokenization token_count token_counts token_usage token_type " +
  "token_limit token_budget token_rate token_expiry token_expires_at token_expires_in num_tokens n_tokens " +
  "max_tokens min_tokens tokens_used tokens_remaining tokens_per_second tokens_per_minute total_tokens " +
  "prompt_tokens completion_tokens input_tokens output_tokens cached_tokens reasoning_tokens thinking_tokens " +
  "audio_tokens text_tokens image_tokens max_input_tokens max_output_tokens max_new_tokens max_completion_tokens " +
  "accepted_prediction_tokens rejected_prediction_tokens cache_read_input_tokens cache_creation_input_tokens " +
  "prompt_tokens_details completion_tokens_details input_tokens_details output_tokens_details"
).split(" ");

/** The reference's own patterns, which match anywhere in a squashed name (S9.3). Longest first where one could hide another. */
const REFERENCE = /password|credential|private|secret|token|auth|key/;

/** A word that holds one of the reference's patterns by accident. */
const HARMLESS_WORD =
  /^(?:(?:mon|don|tur|hoc|joc|whis|lac|flun)keys?|key(?:boards?|words?|notes?|frames?|strokes?|stones?|spaces?|maps?|holes?)|author(?:s|ed|ing|ship|ity|ities|itative)?|authentic|authenticity|tokeni[sz](?:e|ed|er|ers|ing|ation)|secretar(?:y|ies|iat)|secretions?|privateers?)$/;

/** Names of secrets that the reference does not know, anywhere in a squashed name. */
const VOCABULARY =
  /passw[dto]|pswd|(?:user|db|root|admin)pass(?![a-z])|passphrase|passcode|sess(?:ion)?id|conn(?:ection)?str|(?:seed|recovery|backup)(?:phrase|words)|(?:recovery|backup|verification|security|onetime|mfa|2fa|otp|pin)codes?|cardnumber|ccnum|creditcard|accountnumber|socialsecurity|(?:database|db|redis|mongo|mongodb|postgres|postgresql|mysql|amqp|broker|jdbc)ur[il]|webhookur[il]|clientassertion|samlresponse|setcookie|motdepasse|contrasen|kennwort|wachtwoord/;

/** Whole words that name a secret. */
const SECRET_WORD =
  /^(?:pwd|pw|pin|otp|totp|cvv|cvc|ssn|iban|cookie|jwt|bearer|cred|creds|pem|pfx|sas|mnemonic|csrf|xsrf|passwd|senha)$/;

/** Last words of names whose strings are secret, though numbers and containers under them are usually not. */
const SECRET_TEXT_WORD = /^(?:pass|session|nonce|salt|signature|sig|hmac|certificate|cert|sid|dsn|headers|webhook)$/;

/** Names whose strings are secret only when there is nothing else in the name. */
const SECRET_TEXT_NAME = /^(?:login|2fa|idrsa|kubeconfig|netrc|raw(?:payload|body|headers|request|response))$/;

/** Long enough that no word holds them by accident once digits are read as letters (`passw0rd`, `s3cret`). */
const DISGUISED = /password|credential|private|secret|token/;

const NOTHING: KeyVerdict = { scope: "none", rule: "" };

/** Judges key names: by the user's own names, by everything that the reference masks, and by a wider vocabulary (S9.3). */
export function createKeyJudge({ keys, allowKeys }: KeyNameOptions): (name: string) => KeyVerdict {
  const allowed = new Set(allowKeys.map((name) => squash(fold(name))));
  const harmless = new Set(HARMLESS_KEYS.map((name) => squash(fold(name))));
  const custom = keys.map((name, index) => {
    const folded = fold(name);
    return { words: run(wordsOf(folded)), squashed: squash(folded), rule: `keys[${index}]` };
  });

  return (name) => {
    const folded = fold(name);
    const squashed = squash(folded);
    if (squashed === "" || allowed.has(squashed)) return NOTHING;
    const words = wordsOf(folded);
    const phrase = run(words);
    for (const own of custom) {
      if (squashed === own.squashed || phrase.includes(own.words)) return { scope: "all", rule: own.rule };
    }
    return judgeBuiltIn(squashed, words, harmless.has(squashed));
  };
}

function judgeBuiltIn(squashed: string, words: readonly string[], harmless: boolean): KeyVerdict {
  const reference = REFERENCE.exec(squashed);
  if (reference !== null) {
    const suspicious = harmless ? "" : words.filter((word) => !HARMLESS_WORD.test(word)).join("");
    return { scope: REFERENCE.test(suspicious) ? "all" : "scalar", rule: reference[0] };
  }
  const disguised = DISGUISED.exec(undisguise(squashed));
  if (disguised !== null) return { scope: "all", rule: disguised[0] };
  const known = VOCABULARY.exec(squashed) ?? firstMatch(SECRET_WORD, [squashed, ...words]);
  if (known !== null) return { scope: "data", rule: known[0] };
  const text = SECRET_TEXT_NAME.exec(squashed) ?? firstMatch(SECRET_TEXT_WORD, [squashed, ...words.slice(-1)]);
  return text === null ? NOTHING : { scope: "text", rule: text[0] };
}

function firstMatch(pattern: RegExp, words: readonly string[]): RegExpExecArray | null {
  for (const word of words) {
    const match = pattern.exec(word) ?? pattern.exec(singular(word));
    if (match !== null) return match;
  }
  return null;
}

/** Letters that look Latin, and the letters they look like. */
const LOOKALIKES = "аеорсухктвнміјѕԁԛԝһӏαορκτνιευηωɑɡıłøđᴀʙᴄᴅᴇɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ";
const LATIN = "aeopcyxktbhmijsdqwhlaopktvieynwagilodabcdeghijklmnoprstuvwyz";

/**
 * A name with its disguises taken off: compatibility forms (full-width, circled, mathematical), accents, invisible characters and
 * Cyrillic, Greek or small-capital letters that look Latin. Its case and separators stay.
 */
function fold(name: string): string {
  if (!/[\u0080-\uffff]/.test(name)) return name;
  return name
    .normalize("NFKD")
    .replace(/[\p{M}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, "")
    .replace(/[\u0080-\uffff]/g, (letter) => {
      const lower = letter.toLowerCase();
      const at = LOOKALIKES.indexOf(lower);
      if (at < 0) return letter;
      return lower === letter ? LATIN.charAt(at) : LATIN.charAt(at).toUpperCase();
    });
}

function squash(folded: string): string {
  return folded.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "");
}

/** The words of a name, whether camelCase, snake_case or anything else, in lower case. */
function wordsOf(folded: string): string[] {
  return folded
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}]+/u)
    .filter((word) => word !== "");
}

/** Words in one string in which a run of words can be searched; plurals count as singulars. */
function run(words: readonly string[]): string {
  return ` ${words.map(singular).join(" ")} `;
}

function singular(word: string): string {
  return /[^s]s$/.test(word) && word.length > 3 ? word.slice(0, -1) : word;
}

function undisguise(squashed: string): string {
  return squashed.replace(/[013457]/g, (digit) => "oieast".charAt("013457".indexOf(digit)));
}
