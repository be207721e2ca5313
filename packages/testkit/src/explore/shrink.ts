import { type Choice, followed } from "./choices.js";
import { isFailure, type Subject, type Trial, tryOnce } from "./trial.js";

/** How many runs may be spent on making a failure smaller. */
const MAX_SHRINK_RUNS = 500;

/**
 * The smallest run found that fails in the same way: fewer choices that matter, then earlier options. Deterministic.
 */
export async function shrink(subject: Subject, failing: Trial): Promise<Trial> {
  const kind = kindsOf(failing)[0]!;
  let best = failing;
  let runs = 0;
  const improves = async (indexes: readonly number[]): Promise<boolean> => {
    if (runs >= MAX_SHRINK_RUNS || !isSmaller(indexes, indexesOf(best))) return false;
    runs++;
    const trial = await tryOnce(subject, followed(indexes));
    if (!isFailure(trial) || !kindsOf(trial).includes(kind)) return false;
    best = trial;
    return true;
  };
  for (let again = true; again; ) {
    again = false;
    const indexes = indexesOf(best);
    for (const candidate of candidates(indexes)) {
      if (!(await improves(candidate))) continue;
      again = true;
      break;
    }
  }
  return best;
}

/** Simpler lists than `indexes`, the most promising first. */
function* candidates(indexes: readonly number[]): Generator<number[]> {
  // The whole tail, from a quarter to all but one.
  for (let length = 0; length < indexes.length; length = Math.max(length + 1, Math.trunc(length * 1.5))) {
    yield indexes.slice(0, length);
  }
  for (const [position, index] of indexes.entries()) {
    if (index > 0) yield indexes.with(position, 0);
  }
  for (const position of indexes.keys()) yield indexes.toSpliced(position, 1);
  for (const [position, index] of indexes.entries()) {
    for (let lower = 1; lower < index; lower++) yield indexes.with(position, lower);
  }
}

/** Without the end that only says what happens anyway. */
function indexesOf({ choices }: { choices: readonly Choice[] }): number[] {
  return trimmed(choices.map(({ index }) => index));
}

function trimmed(indexes: readonly number[]): number[] {
  return indexes.slice(0, indexes.findLastIndex((index) => index !== 0) + 1);
}

function isSmaller(a: readonly number[], b: readonly number[]): boolean {
  const [one, other] = [weight(trimmed(a)), weight(trimmed(b))];
  const place = one.findIndex((value, index) => value !== other[index]);
  return place >= 0 && one[place]! < other[place]!;
}

/** What makes a run hard to read, worst first. */
function weight(indexes: readonly number[]): [number, number, number] {
  const chosen = indexes.filter((index) => index !== 0);
  return [chosen.length, indexes.length, chosen.reduce((sum, index) => sum + index, 0)];
}

/** How a run fails: by which clauses, and by what kind of error. */
function kindsOf({ violations, ...trial }: Trial): string[] {
  const kinds = violations.map(({ invariant, clause }) => `${invariant} ${clause}`);
  if ("error" in trial)
    kinds.push(`error ${(trial.error as { name?: unknown } | null | undefined)?.name ?? typeof trial.error}`);
  return kinds;
}
