/** Why something was masked: the name of its key, the shape of its value, or a secret that was declared. */
export type RedactionCause = "key" | "value" | "declared";

/** One masked place. Holds no secret: a key that is one is masked in the pointer too. */
export interface RedactionEntry {
  /** JSON pointer (RFC 6901) into the redacted copy; items of a `Map` or `Set` count by their key or place. */
  readonly pointer: string;
  readonly by: RedactionCause;
  /** Which rule: the matching part of a built-in name, the name of a shape, or the option and its index, such as `secrets[0]`. */
  readonly rule: string;
}

/** What a redaction masked, sorted by pointer. An object that occurs twice is listed at both places. */
export type RedactionManifest = readonly RedactionEntry[];

/** A step on the way from the root to a value. The root's own step has no parent, and its token does not count. */
export interface PathStep {
  readonly parent: PathStep | undefined;
  readonly token: string;
  /** The pointer to this step, once somebody asked for it. */
  pointer: string | undefined;
}

/** The RFC 6901 pointer to the member `token` of the value at `path`; to the root itself if there is no path. */
export function pointerTo(path: PathStep | undefined, token: string): string {
  if (path === undefined) return "";
  const unnamed: PathStep[] = [];
  let step = path;
  for (; step.pointer === undefined && step.parent !== undefined; step = step.parent) unnamed.push(step);
  let pointer = step.pointer ?? "";
  for (const next of unnamed.reverse()) {
    pointer += `/${escapeToken(next.token)}`;
    next.pointer = pointer;
  }
  return `${pointer}/${escapeToken(token)}`;
}

/** Every entry once, in the order of their pointers, whatever order the walk took. */
export function sortManifest(entries: readonly RedactionEntry[]): RedactionManifest {
  const unique = new Map(entries.map((entry) => [`${entry.by} ${entry.rule} ${entry.pointer}`, entry]));
  return [...unique.values()].sort((a, b) => (a.pointer < b.pointer ? -1 : a.pointer > b.pointer ? 1 : 0));
}

function escapeToken(token: string): string {
  return /[~/]/.test(token) ? token.replaceAll("~", "~0").replaceAll("/", "~1") : token;
}
