/** One piece of a regular expression: an assertion, a group, or something that takes one character. */
interface Atom {
  readonly source: string;
  /** The alternatives of a group or of a lookaround. */
  readonly alternatives?: readonly (readonly Atom[])[];
  readonly isAssertion: boolean;
  readonly repeats: "never" | "bounded" | "unbounded";
  readonly isOptional: boolean;
  readonly isLazy: boolean;
}

/** What could make a regular expression take more than linear time; an empty list if nothing can. */
export function findSuperlinear({ source, flags }: RegExp): string[] {
  const parser = new Parser(source);
  const problems: string[] = [];
  examine(parser.alternatives(), [], false, flags, problems);
  return problems;
}

function examine(
  alternatives: readonly (readonly Atom[])[],
  after: readonly Atom[],
  insideRepetition: boolean,
  flags: string,
  problems: string[],
): void {
  for (const atoms of alternatives) {
    for (const [index, atom] of atoms.entries()) {
      const rest = [...atoms.slice(index + 1), ...after];
      if (atom.repeats === "unbounded") {
        if (insideRepetition) problems.push(`nested quantifier: ${atom.source}`);
        if (atom.alternatives) problems.push(`unbounded group: ${atom.source}`);
        else if (!atom.isLazy) findOverlap(atom, rest, flags, problems);
      }
      if (atom.alternatives) {
        examine(atom.alternatives, rest, insideRepetition || atom.repeats !== "never", flags, problems);
      }
    }
  }
}

/** A repetition is ambiguous if what has to follow can begin with a character that it takes itself. */
function findOverlap(atom: Atom, rest: readonly Atom[], flags: string, problems: string[]): void {
  for (const next of rest) {
    if (next.isAssertion && !next.alternatives) continue;
    const one = new RegExp(`^${bare(atom.source)}$`, flags.replace(/[gy]/g, ""));
    const starts = firstOf(next).map((source) => new RegExp(`^${source}$`, flags.replace(/[gy]/g, "")));
    for (let code = 0; code < 256; code++) {
      const character = String.fromCharCode(code);
      if (one.test(character) && starts.some((start) => start.test(character))) {
        problems.push(`${atom.source} overlaps ${next.source}`);
        return;
      }
    }
    if (!next.isOptional) return;
  }
}

function firstOf(atom: Atom): string[] {
  if (!atom.alternatives) return [bare(atom.source)];
  return atom.alternatives.flatMap((atoms) => {
    const first = atoms.find((one) => !one.isAssertion);
    return first ? firstOf(first) : [];
  });
}

function bare(source: string): string {
  return source.replace(/(?<=.)(?:[*+?]|\{\d+(?:,\d*)?\})\??$/, "");
}

class Parser {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  alternatives(): Atom[][] {
    const found: Atom[][] = [[]];
    while (this.#at < this.#source.length && this.#source[this.#at] !== ")") {
      if (this.#source[this.#at] === "|") {
        this.#at++;
        found.push([]);
      } else found[found.length - 1]?.push(this.#atom());
    }
    return found;
  }

  #atom(): Atom {
    const start = this.#at;
    const group = this.#take(/\((?:\?(?:[:=!]|<[=!]))?/y);
    let alternatives: Atom[][] | undefined;
    let isAssertion = false;
    if (group !== "") {
      isAssertion = /[=!]/.test(group);
      alternatives = this.alternatives();
      this.#at++;
    } else {
      const token = this.#take(/\[(?:\\.|[^\]\\])*\]|\\.|[\s\S]/y);
      isAssertion = /^(?:\^|\$|\\b|\\B)$/.test(token);
    }
    const quantifier = this.#take(/(?:[*+?]|\{\d+(?:,\d*)?\})\??/y);
    return {
      source: this.#source.slice(start, this.#at),
      ...(alternatives && { alternatives }),
      isAssertion,
      isOptional: /^(?:[*?]|\{0,)/.test(quantifier),
      isLazy: quantifier.length > 1 && quantifier.endsWith("?"),
      repeats: /^[*+]|,\}/.test(quantifier) ? "unbounded" : /^\{/.test(quantifier) ? "bounded" : "never",
    };
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const [token = ""] = pattern.exec(this.#source) ?? [];
    this.#at += token.length;
    return token;
  }
}
