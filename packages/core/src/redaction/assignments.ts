/** What decides whether a name in running text is one of a secret. */
export type SecretNameTest = (name: string) => boolean;

/** Finds `name=secret` and its relatives in running text, and masks the secrets. */
export interface AssignmentMasker {
  readonly hints: readonly string[];
  mask(text: string): string;
  /** Whether all masks of the last text stand beside signs and spaces, and to mask it again would change nothing. */
  isSettled(): boolean;
}

/**
 * Names that open an assignment in text. `isSecretName` then judges the whole name, so these may be found inside harmless ones.
 * One alternative for each first letter: what every place of a text is compared with is then so short that it takes two thirds of the time.
 */
const STEMS =
  "a(?:uth(?:orization)?|(?:pi|ccess|ccount)KEY)|bearer|c(?:red(?:ential|s)|ookie|vv|onnection[ _-]?string)|encryptionKEY|jwt|licenseKEY|" +
  "masterKEY|otp|p(?:ass(?:w|phrase|code)?|wd|in|rivateKEY)|" +
  "s(?:e(?:cret|ss(?:id|ion(?:KEY|[ _-]?id))|rviceKEY)|sn|ignature|(?:igning|hared|torage|sh)KEY)|token";

/** One piece of every stem. */
const HINTS = "pas pwd ecr oke ede eds kie rer jwt otp cvv ssn pin uth gna key ssi str";

/** Words that follow a secret's name in prose, where a secret would stand in an assignment. */
const PROSE =
  /^(?:null|none|nil|undefined|true|false|yes|no|required|missing|invalid|expired|not|is|was|are|were|must|should|cannot|can|has|have|unknown|empty|ok|set|unset|enabled|disabled|failed|failure|denied|rejected|accepted|valid|revoked|refreshed|rotated|bearer|basic|string|number|boolean|object|n\/a)$/i;

/** Also a word of prose: a pass may be one of a test, or to board with. */
const PASS = /pass(?:es)?$/i;

/** Says that a block of YAML follows, or is a pipe: to mask that would hide nothing, and say that something was hidden. */
const BLOCK_FOLLOWS = /^\|[-+1-9]{0,2}(?:\\[rn])*$/;

const NO_VALUE = /^(?:null|none|nil|undefined|true|false)$/i;

/** Headers whose whole line is secret. */
const HEADER = /^(?:proxy-?)?authorization$|^(?:set-?)?cookie$/i;

/**
 * Masks what is assigned to a secret name in text: `password=x`, `"token": "x"`, `--api-key 'x y'`, `Authorization: Basic x`,
 * `<secret>x</secret>`, `password 'x'`. Linear: every character is looked at a bounded number of times.
 */
export function createAssignmentMasker(
  mask: string,
  isSecretName: SecretNameTest,
  ownNames: readonly string[],
): AssignmentMasker {
  const own = ownNames.map((name) => name.replace(/[^\w]+/g, " ").trim()).filter((name) => /^[\w ]{3,}$/.test(name));
  const name = new RegExp(
    `(?:${[STEMS.replaceAll("KEY", "[ _.-]?key"), ...own.map((words) => words.replaceAll(/[ _]/g, "[ _.-]?"))].join("|")})[\\w.-]{0,32}`,
    "gi",
  );
  /** The usual mask is no part of a sign, a name or a hint, whatever stands beside it. */
  const isInert = mask === "[REDACTED]" && !name.test(mask);
  let isSettled = false;

  function maskAssignments(text: string): string {
    let masked = "";
    let done = 0;
    isSettled = isInert;
    name.lastIndex = 0;
    for (let match = name.exec(text); match !== null; match = name.exec(text)) {
      const found = findSecret(text, match.index, name.lastIndex, mask, isSecretName);
      isSettled &&= found !== undefined && standsAlone(text, found);
      if (found === undefined) continue;
      masked += text.slice(done, found.start) + mask;
      done = found.end;
      name.lastIndex = found.end;
    }
    return done === 0 ? text : masked + text.slice(done);
  }
  return { hints: [...HINTS.split(" "), ...own], mask: maskAssignments, isSettled: () => isSettled };
}

/**
 * Between a sign or space and a space. No name goes into an inert mask, and what is read after one ends at the space: where all names
 * of a text have secrets like that, the same names are found again, and nothing but masks after them.
 */
function standsAlone(text: string, { start, end }: Found): boolean {
  return "=: ".includes(text.charAt(start - 1)) && " \t\n\r".includes(text.charAt(end));
}

interface Found {
  readonly start: number;
  readonly end: number;
}

/** Closing quotes or brackets of the name. */
const CLOSING = /(?:%22|["'`\\\]]{0,4})[ \t]{0,3}/y;
const SIGN = /=>|:=|={1,3}|:(?!:|\/\/)|>|%3d|%3a(?!%2f)/iy;
/** For some values a space is enough, "is" or `value=`. */
const OPENING = /[ \t]{0,3}(?:(?:is|was)[ \t]|value=)?/y;
const QUOTE = /\\{0,3}["'`]/y;
const RUN = /[^\s"'`<>&;,]*/y;
const HEADER_VALUE = /(?:bearer|basic|token|apikey|negotiate|ntlm|aws4)|(digest|hawk|oauth|signature)|[\w.-]{1,128}=/iy;
const LINE_IN_QUOTES = /[^\r\n"'`\\]*/y;
/** Some schemes have quotes in their values. */
const LINE = /[^\r\n]*/y;
/** After a comma: the end, or the next of a list of assignments. */
const NEXT_ITEM = /,(?:[\s"'{[]|$|[\w.-]{1,40}[=:])/y;

function findSecret(
  text: string,
  stemStart: number,
  nameEnd: number,
  mask: string,
  isSecretName: SecretNameTest,
): Found | undefined {
  const nameStart = startOfName(text, stemStart);
  const written = text.slice(nameStart, nameEnd);
  const fullName = written.startsWith("-") ? written.replace(/^-+/, "") : written;
  if (!isSecretName(fullName)) return undefined;
  // Before a regular expression, a look at the character that it would begin with.
  const isShort = "=:".includes(text.charAt(nameEnd)) && !"=:>/".includes(text.charAt(nameEnd + 1));
  const signStart = isShort ? nameEnd : endOf(CLOSING, text, nameEnd);
  const signEnd = isShort ? nameEnd + 1 : endOf(SIGN, text, signStart);
  const start = " \tiwvIWV".includes(text.charAt(signEnd)) ? endOf(OPENING, text, signEnd) : signEnd;
  const assigns = signEnd === signStart ? undefined : text.slice(signStart, signEnd);
  if (start >= text.length) return undefined;
  if (assigns === undefined && !(start > nameEnd && /[ \t=]/.test(text.charAt(start - 1)))) return undefined;
  if (assigns === undefined && PASS.test(fullName) && fullName === written) return undefined;
  if (text.startsWith(mask, start)) {
    // Masked before; what is glued to the mask was not.
    const end = endOfRun(text, start + mask.length);
    return end > start + mask.length ? { start, end } : undefined;
  }
  if (assigns === ">") return isTag(text, nameStart) ? upTo(text, start, "<") : undefined;
  if (assigns !== undefined && HEADER.test(fullName)) {
    const line = wholeHeader(text, start);
    if (line !== undefined) return line;
  }
  const quoteEnd = isOfName(text.charCodeAt(start)) ? start : endOf(QUOTE, text, start);
  const flag = text[nameStart] === "-";
  if (quoteEnd > start) return quotedSecret(text, quoteEnd, text.slice(start, quoteEnd), flag || assigns !== undefined);
  if (assigns !== undefined && (text[start] === "[" || text[start] === "{"))
    return { start, end: endOfBrackets(text, start) };

  const end = endOfRun(text, start);
  const value = text.slice(start, end);
  return isSecretValue(value, fullName, assigns, flag, text, end) ? { start, end } : undefined;
}

function isSecretValue(
  value: string,
  name: string,
  assigns: string | undefined,
  flag: boolean,
  text: string,
  end: number,
): boolean {
  if (value === "" || NO_VALUE.test(value)) return false;
  // A number of tokens.
  if (/tokens$/i.test(name) && /^[\d.,_]+[km%]?$/i.test(value)) return false;
  // A number of passes.
  if (/^pass(?:es)?$/i.test(name) && /^[\d.,/%]{1,6}$/.test(value)) return false;
  if ((assigns ?? ":") === ":" && BLOCK_FOLLOWS.test(value)) return false;
  if (assigns === undefined)
    return flag ? !value.startsWith("-") : value.length >= 6 && /\d/.test(value) && /[a-z]/i.test(value);
  if (assigns !== ":") return true;
  // A colon also goes before prose: "token: expired", "password: must be longer".
  if (PROSE.test(value)) return false;
  return !/^[a-z]+$/.test(value) || /^(?:["'}\])]|[ \t]*(?:$|[\r\n,;]))/.test(text.slice(end, end + 8));
}

/** What is left of an escape before a name: it ends as a name begins. */
const REST_OF_ESCAPE =
  /(?<=\\)(?:[nrtbfv0]|u[\da-f]{4}|x[\da-f]{2})|(?<=%)(?:25)?[\da-f]{2}|(?<=\[[\d;]{0,16})\d{0,3}[mK]/iy;

function startOfName(text: string, stemStart: number): number {
  let start = stemStart;
  const limit = Math.max(0, stemStart - 64);
  while (start > limit && isOfName(text.charCodeAt(start - 1))) start--;
  return text.charAt(start - 1) === " " ? start : Math.min(endOf(REST_OF_ESCAPE, text, start), stemStart);
}

/** `[\w.-]`, without a regular expression for each character. */
function isOfName(code: number): boolean {
  const letter = code | 0x20;
  const isLetter = letter >= 0x61 && letter <= 0x7a;
  return isLetter || (code >= 0x30 && code <= 0x39) || code === 0x5f || code === 0x2e || code === 0x2d;
}

function wholeHeader(text: string, start: number): Found | undefined {
  // Tested first: reading every line to its end would take quadratic time.
  HEADER_VALUE.lastIndex = start;
  const scheme = HEADER_VALUE.exec(text);
  if (scheme === null) return undefined;
  const end = endOf(scheme[1] === undefined ? LINE_IN_QUOTES : LINE, text, start);
  return { start, end: start + text.slice(start, end).trimEnd().length };
}

function quotedSecret(text: string, start: number, quote: string, assigned: boolean): Found | undefined {
  const end = endOfQuote(text, start, quote);
  if (assigned) return end > start ? { start, end } : undefined;
  // Without a sign or dash only a short value without spaces counts: "password 'x'", but not "token 'a b' is unexpected".
  return end - start >= 4 && end - start <= 256 && !/\s/.test(text.slice(start, end)) ? { start, end } : undefined;
}

/** Where the quotation ends; at the end of the text if it was cut off. */
function endOfQuote(text: string, start: number, quote: string): number {
  if (quote.length > 1) {
    const end = text.indexOf(quote, start);
    return end < 0 ? text.length : end;
  }
  for (let index = start; index < text.length; index++) {
    const character = text[index];
    if (character === "\\") index++;
    else if (character === quote) return index;
  }
  return text.length;
}

/** After the bracket that closes the one at `start`; the end of the text if none does. */
function endOfBrackets(text: string, start: number): number {
  let depth = 0;
  for (let index = start; index < text.length; index++) {
    const character = text[index];
    if (character === '"') index = endOfQuote(text, index + 1, character);
    else if (character === "[" || character === "{") depth++;
    else if ((character === "]" || character === "}") && --depth === 0) return index + 1;
  }
  return text.length;
}

function endOfRun(text: string, start: number): number {
  let end = endOf(RUN, text, start);
  while (text[end] === "," && endOf(NEXT_ITEM, text, end) === end) end = endOf(RUN, text, end + 1);
  while (end > start && ")]}".includes(text.charAt(end - 1))) end--;
  return end;
}

function isTag(text: string, nameStart: number): boolean {
  return /<[\w.:-]*$/.test(text.slice(Math.max(0, nameStart - 64), nameStart));
}

function upTo(text: string, start: number, stop: string): Found | undefined {
  const end = text.indexOf(stop, start);
  return end > start ? { start, end } : undefined;
}

/** Where a match that begins at `index` ends; `index` itself if there is none. */
function endOf(sticky: RegExp, text: string, index: number): number {
  sticky.lastIndex = index;
  return sticky.test(text) ? sticky.lastIndex : index;
}
