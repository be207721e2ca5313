/** Events in canonical JSON whose turn has not come. */
export interface Append {
  readonly texts: readonly string[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Hashing that much takes about two milliseconds, in which nothing else runs. */
const MAX_WRITE = 131_072;

/** What was appended, in writes of about {@link MAX_WRITE} characters, or one by one. */
export function* batchesOf(appends: readonly Append[], together: boolean): Generator<Append[], void> {
  let batch: Append[] = [];
  let length = 0;
  for (const append of appends) {
    if (batch.length > 0 && (!together || length >= MAX_WRITE)) {
      yield batch;
      batch = [];
      length = 0;
    }
    batch.push(append);
    for (const text of append.texts) length += text.length;
  }
  yield batch;
}
