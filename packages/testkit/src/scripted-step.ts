/** What a scripted executor does with one dispatch. Made by {@link succeeds}, {@link rejects} and their like. */
export interface ScriptedStep {
  /** Virtual milliseconds until it answers; infinite when it never does. */
  readonly afterMs: number;
  /** Goes on although its signal was aborted. Otherwise an abort ends it at once, with the signal's reason. */
  readonly ignoresAbort: boolean;
  /** When the effect reaches the world. */
  readonly applies: "at_dispatch" | "with_answer" | "never";
  /** Gives the answer, or throws it. */
  readonly answer: () => unknown;
}

interface Timing {
  /** Virtual milliseconds until it answers. @defaultValue 0, which needs no clock */
  afterMs?: number;
}

/** `{ ok: true, value }`; the effect happens with the answer, unless `applies` is false. An abort prevents both. */
export function succeeds(
  value?: unknown,
  { afterMs = 0, applies = true }: Timing & { applies?: boolean } = {},
): ScriptedStep {
  return answering(afterMs, applies, () => (value === undefined ? { ok: true } : { ok: true, value }));
}

/** `{ ok: false, code }`: not applied, by the executor's word. */
export function rejects(
  code: string,
  { afterMs = 0, ...rest }: Timing & { retryable?: boolean; retryAfterMs?: number } = {},
): ScriptedStep {
  return answering(afterMs, false, () => ({ ok: false, code, ...rest }));
}

/** Throws; with `applied` the effect had happened all the same: the answer was lost. */
export function throws(
  error: unknown = new Error("scripted failure"),
  { afterMs = 0, applied = false }: Timing & { applied?: boolean } = {},
): ScriptedStep {
  return answering(afterMs, applied, () => {
    throw error;
  });
}

/** Answers with anything at all, however wrong. */
export function returns(
  answer: unknown,
  { afterMs = 0, applied = false }: Timing & { applied?: boolean } = {},
): ScriptedStep {
  return answering(afterMs, applied, () => answer);
}

/** Never answers; an abort ends it with the signal's reason, unless it `ignoresAbort`. With `applied` the effect happens at the dispatch. */
export function hangs({
  ignoresAbort = false,
  applied = false,
}: {
  ignoresAbort?: boolean;
  applied?: boolean;
} = {}): ScriptedStep {
  return {
    afterMs: Number.POSITIVE_INFINITY,
    ignoresAbort,
    applies: applied ? "at_dispatch" : "never",
    answer: () => undefined,
  };
}

/** The effect happens at the dispatch, but `{ ok: true, value }` comes only `afterMs` later, whatever is aborted meanwhile. */
export function succeedsLate(afterMs: number, value?: unknown): ScriptedStep {
  return { ...succeeds(value, { afterMs }), ignoresAbort: true, applies: "at_dispatch" };
}

function answering(afterMs: number, applied: boolean, answer: () => unknown): ScriptedStep {
  return { afterMs, ignoresAbort: false, applies: applied ? "with_answer" : "never", answer };
}
