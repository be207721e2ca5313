import { EocError } from "@eoc/core";

const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;
const MIN_LENGTH = 16;

/** Why `value` is no token to protect anything with; undefined when it is one. */
export function tokenFault(value: unknown): string | undefined {
  if (typeof value === "string" && value.length >= MIN_LENGTH && TOKEN.test(value)) return undefined;
  return `at least ${MIN_LENGTH} characters of A–Z a–z 0–9 . _ ~ + / - and = at the end`;
}

/**
 * Makes an `authorize` that lets in whoever sends `Authorization: Bearer` with one of `tokens`, compared in constant time. Give
 * two while one is being replaced by the other.
 * @throws EocError `invalid_option`.
 */
export function bearerToken(...tokens: readonly string[]): (request: Request) => Promise<boolean> {
  const faults = tokens.flatMap((token, index) => {
    const expected = tokenFault(token);
    return expected === undefined ? [] : [{ path: `tokens[${index}]`, expected }];
  });
  if (tokens.length === 0) faults.push({ path: "tokens", expected: "at least one" });
  if (faults.length > 0) {
    const message = faults.map(({ path, expected }) => `${path} must be ${expected}`).join("; ");
    throw new EocError("invalid_option", `invalid bearer token: ${message}`, { issues: faults });
  }
  const keeper = createKeeper(tokens);
  return async (request) => {
    const { isKnown } = await keeper();
    const sent = /^bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
    return sent !== undefined && isKnown(sent);
  };
}

/** Whether two byte strings of one length are equal, looking at every byte whatever it finds. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let index = 0; index < a.length; index++) difference |= a[index]! ^ b[index]!;
  return difference === 0;
}

/**
 * Digests under a key that nobody knows are compared in place of tokens: they have one length, and a caller cannot steer how much of
 * them agrees. The key is made when it is first needed, as workers have no randomness before their first request.
 */
function createKeeper(tokens: readonly string[]) {
  const make = async () => {
    const { subtle } = globalThis.crypto;
    const key = await subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    const digest = async (text: string) =>
      new Uint8Array(await subtle.sign("HMAC", key, new TextEncoder().encode(text)));
    const known = await Promise.all(tokens.map(digest));
    return {
      isKnown: async (text: string) => {
        const sent = await digest(text);
        return known.map((each) => equalBytes(each, sent)).includes(true);
      },
    };
  };
  let made: ReturnType<typeof make> | undefined;
  return () => {
    made ??= make();
    // A platform that cannot do it now may be able to do it the next time.
    made.catch(() => {
      made = undefined;
    });
    return made;
  };
}
