import { type Clock, createSystemClock } from "@eoc/core";
import { canonicalJson } from "@eoc/decision-schema/read";
import type { JournalHead } from "./journal-record.js";
import type { JournalSink } from "./jsonl-journal.js";

/** The version of a checkpoint's form, its `v`. */
const CHECKPOINT_VERSION = 1;

/**
 * Where a journal ended at a moment, to be kept in a second place. One line of canonical JSON; `signature` is over the UTF-8 bytes
 * of the canonical JSON of the rest.
 */
export interface JournalCheckpoint extends JournalHead {
  type: "journal.checkpoint";
  v: typeof CHECKPOINT_VERSION;
  /** Records in the whole journal: `seq` + 1. */
  count: number;
  /** Wall clock. */
  atMs: number;
  /** Which key signed. */
  keyId?: string;
  /** In lower-case hexadecimal. */
  signature?: string;
}

/**
 * Signs checkpoints. `createEd25519Signer` of `@eoc/trace/node` makes one; elsewhere
 * `{ keyId, sign: (message) => crypto.subtle.sign("Ed25519", privateKey, message) }` does.
 */
export interface CheckpointSigner {
  /** Written into the checkpoint, to find the key again. */
  readonly keyId: string;
  sign(message: Uint8Array<ArrayBuffer>): ByteResult | Promise<ByteResult>;
}

type ByteResult = Uint8Array | ArrayBuffer;

/** A key that checkpoints may be signed with. `createEd25519Verifier` of `@eoc/trace/node` makes one. */
export interface CheckpointVerifier {
  /** Checkpoints that name another key are not for this one. @defaultValue it is tried on all */
  readonly keyId?: string;
  verify(message: Uint8Array<ArrayBuffer>, signature: Uint8Array<ArrayBuffer>): boolean | Promise<boolean>;
}

/** Options of {@link JsonlJournalOptions.checkpoints}: where, how often and by whom it is said how far the journal goes. */
export interface CheckpointOptions {
  /** The second place: it should not be one that whoever can write the journal can write. Is given one line a checkpoint. */
  sink: Pick<JournalSink, "append">;
  /** After how many records the next one is due. @defaultValue 1000 */
  every?: number;
  /** @defaultValue they are not signed */
  signer?: CheckpointSigner;
  /** @defaultValue the system clock */
  clock?: Pick<Clock, "now">;
  /**
   * Hears why a checkpoint that was due could not be written. It stops nothing, since the records themselves are kept: the next
   * record tries again. @defaultValue nobody hears of it
   */
  onFailure?: (error: unknown) => void;
}

/** Writes a journal's checkpoints, one after the other, beside its records: no append waits for one. */
export class Checkpoints {
  readonly #head: () => JournalHead & { count: number };
  readonly #options: Partial<CheckpointOptions>;
  readonly #clock: Pick<Clock, "now">;
  readonly #every: number;
  #since = 0;
  #last: Promise<unknown> | undefined;

  constructor(head: () => JournalHead & { count: number }, options: CheckpointOptions | undefined) {
    const { every = 1000, clock = createSystemClock() } = options ?? {};
    this.#head = head;
    this.#options = options ?? {};
    this.#clock = clock;
    this.#every = options === undefined ? Number.POSITIVE_INFINITY : every;
  }

  /** So many more records are acknowledged. */
  noticeRecords(count: number): void {
    this.#since += count;
    if (this.#since < this.#every || this.#last !== undefined) return;
    this.write().catch((error) => {
      try {
        this.#options.onFailure?.(error);
      } catch {
        // Observes only.
      }
    });
  }

  write(): Promise<JournalCheckpoint> {
    const result = this.#last === undefined ? this.#writeNow() : this.#last.then(() => this.#writeNow());
    const settled: Promise<unknown> = result
      .then(
        () => true,
        () => false,
      )
      .then((isWritten) => {
        if (this.#last === settled) this.#last = undefined;
        // As many may have come meanwhile as make another one due.
        if (isWritten) this.noticeRecords(0);
      });
    this.#last = settled;
    return result;
  }

  async #writeNow(): Promise<JournalCheckpoint> {
    const { sink, signer } = this.#options;
    const before = this.#since;
    const { seq, hash, count } = this.#head();
    const body: JournalCheckpoint = {
      type: "journal.checkpoint",
      v: CHECKPOINT_VERSION,
      seq,
      hash,
      count,
      atMs: this.#clock.now(),
      ...(signer === undefined ? undefined : { keyId: signer.keyId }),
    };
    const checkpoint =
      signer === undefined ? body : { ...body, signature: toHex(await signer.sign(signedBytes(body))) };
    await sink?.append(canonicalJson(checkpoint));
    this.#since -= before;
    return checkpoint;
  }
}

/** What a checkpoint's signature is over. */
export function signedBytes(checkpoint: JournalCheckpoint): Uint8Array<ArrayBuffer> {
  const { signature: _, ...body } = checkpoint;
  return new TextEncoder().encode(canonicalJson(body));
}

/**
 * Reads one line of a second place.
 * @throws TypeError when it is no checkpoint
 */
export function parseCheckpoint(line: string): JournalCheckpoint {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    throw new TypeError("the line is not JSON");
  }
  if (!isCheckpoint(parsed)) throw new TypeError("the line is not a journal's checkpoint");
  return parsed;
}

function isCheckpoint(value: unknown): value is JournalCheckpoint {
  if (typeof value !== "object" || value === null) return false;
  const { type, v, seq, hash, count, atMs, keyId, signature } = value as Record<string, unknown>;
  return (
    type === "journal.checkpoint" &&
    v === CHECKPOINT_VERSION &&
    Number.isSafeInteger(seq) &&
    (seq as number) >= -1 &&
    count === (seq as number) + 1 &&
    typeof hash === "string" &&
    /^[0-9a-f]{64}$/.test(hash) &&
    Number.isFinite(atMs) &&
    (keyId === undefined || typeof keyId === "string") &&
    (signature === undefined || (typeof signature === "string" && /^([0-9a-f]{2})+$/.test(signature)))
  );
}

function toHex(bytes: ByteResult): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The bytes of a signature; `parseCheckpoint` has looked at its form. */
export function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
