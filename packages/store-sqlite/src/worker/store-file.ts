import { closeSync, openSync, realpathSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { machineTime, pause } from "../machine-time.ts";
import type { ThreadOptions } from "../protocol.ts";
import { isBusy, StoreFailure } from "./failure.ts";
import { migrate, storedVersion } from "./schema.ts";

const time = machineTime();

/** The open database, and whether it still is what others find under its name. */
export class StoreFile {
  readonly db: DatabaseSync;
  /**
   * The name under which SQLite keeps what belongs to the file beside it, its log among it; other than the one that it was given
   * where that leads through a link. Everybody has to go by the same.
   */
  readonly path: string;
  readonly #givenPath: string;
  readonly #identity: string;
  #walIdentity: string | undefined;
  #isReplaced = false;
  readonly #isReadOnly: boolean;

  constructor({ path, create, readOnly = false, openTimeoutMs, pragmas = [] }: ThreadOptions) {
    this.#givenPath = path;
    this.#isReadOnly = readOnly;
    if (identityOf(path) === undefined) {
      if (!create) throw new StoreFailure("cannot_open", "there is no such file");
      makeFile(path);
    }
    this.path = realpathSync(path);
    this.db = new DatabaseSync(this.path, { readOnly });
    try {
      const untilMs = time.monotonicMs() + openTimeoutMs;
      this.db.exec("PRAGMA trusted_schema = OFF");
      // Before anything is changed: the log, too, is written into the file.
      insist(untilMs, () => mustBeOurs(this.db, create));
      if (!readOnly) this.#prepare(untilMs, pragmas);
    } catch (error) {
      this.db.close();
      throw error;
    }
    this.#identity = identityOf(path) ?? "";
    this.#walIdentity = identityOf(`${this.path}-wal`);
  }

  #prepare(untilMs: number, pragmas: readonly string[]): void {
    insist(untilMs, () => useWal(this.db));
    // FULL: a commit is on the disk before it is acknowledged. On macOS that takes more than `fsync`.
    for (const pragma of ["synchronous = FULL", "fullfsync = ON", "checkpoint_fullfsync = ON", ...pragmas]) {
      this.db.exec(`PRAGMA ${pragma}`);
    }
    this.db.exec("PRAGMA journal_size_limit = 67108864");
    insist(untilMs, () => migrate(this.db));
    // A file that can only be read is to say so now; and the first transaction makes sure that there is a log.
    insist(untilMs, () => tryToWrite(this.db));
  }

  /**
   * Throws when the file, or its log, is no longer the one under this name: what was committed would be lost without a word. Asked
   * after every commit, before it is acknowledged.
   * @throws StoreFailure `replaced`
   */
  mustBeCurrent(): void {
    // Who only reads acknowledges nothing, and a log may come and go beside him.
    if (this.#isReadOnly) return;
    this.#isReplaced ||=
      identityOf(this.#givenPath) !== this.#identity || identityOf(`${this.path}-wal`) !== this.#walIdentity;
    if (this.#isReplaced) {
      throw new StoreFailure("replaced", "the file was deleted or replaced while it was open: open it again");
    }
  }

  close(): void {
    this.db.close();
  }
}

function identityOf(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? undefined : `${stat.dev}:${stat.ino}`;
}

/** For its owner alone, as a journal's file is: it holds what executors return. */
function makeFile(path: string): void {
  try {
    closeSync(openSync(path, "a", 0o600));
  } catch (error) {
    throw new StoreFailure("cannot_open", `the file cannot be created: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** @throws StoreFailure `foreign_file`, `schema_newer`; `cannot_open` when there is no store in it yet, and none is to be made */
function mustBeOurs(db: DatabaseSync, create: boolean): void {
  if (storedVersion(db) === 0 && !create) throw new StoreFailure("cannot_open", "there is no store in the file");
}

function useWal(db: DatabaseSync): void {
  const { journal_mode } = db.prepare("PRAGMA journal_mode = WAL").get() as { journal_mode: string };
  if (journal_mode === "wal") return;
  throw new StoreFailure("cannot_open", "the file system cannot share memory between processes, as WAL needs");
}

/** Takes it back again: what is not written needs no disk, and many may open the file at the same time. */
function tryToWrite(db: DatabaseSync): void {
  db.exec("BEGIN IMMEDIATE");
  try {
    db.exec("UPDATE eoc_clock SET id = 1");
  } finally {
    db.exec("ROLLBACK");
  }
}

/** Until nobody else holds the file. SQLite's own waiting sleeps longer and longer, and so never gets its turn among the busy. */
function insist(untilMs: number, run: () => void): void {
  for (;;) {
    try {
      return run();
    } catch (error) {
      if (!isBusy(error) || time.monotonicMs() > untilMs) throw error;
      pause(2);
    }
  }
}
