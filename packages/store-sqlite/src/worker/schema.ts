import type { DatabaseSync } from "node:sqlite";
import { StoreFailure } from "./failure.ts";
import { rollBack } from "./transactions.ts";

/** "EOC!" in the header of every file of ours, so that no other program's database is taken for one. */
const APPLICATION_ID = 0x45_4f_43_21;

/** One step per version, each run once and in order, in one transaction. Released steps are never changed. */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE eoc_clock (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    boot TEXT NOT NULL,
    base_ms REAL NOT NULL,
    highest_ms REAL NOT NULL,
    last_token INTEGER NOT NULL
  ) STRICT;
  INSERT INTO eoc_clock VALUES (1, '', 0, 0, 0);

  CREATE TABLE eoc_keys (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('claimed', 'started', 'completed', 'unknown')),
    token INTEGER NOT NULL,
    until_ms REAL,
    value TEXT,
    value_omitted INTEGER NOT NULL DEFAULT 0,
    claimed_at INTEGER NOT NULL,
    started_at INTEGER,
    updated_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX eoc_keys_open ON eoc_keys (key) WHERE state <> 'completed';
  CREATE INDEX eoc_keys_completed ON eoc_keys (until_ms) WHERE state = 'completed' AND until_ms IS NOT NULL;

  CREATE TABLE eoc_limits (key TEXT PRIMARY KEY, window_ms REAL NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE eoc_permits (permit INTEGER NOT NULL, key TEXT NOT NULL, at_ms REAL, owner TEXT) STRICT;
  CREATE INDEX eoc_permits_log ON eoc_permits (key, at_ms);
  CREATE INDEX eoc_permits_open ON eoc_permits (permit) WHERE at_ms IS NULL;

  CREATE TABLE eoc_switch (
    revision INTEGER PRIMARY KEY,
    halted INTEGER NOT NULL,
    reason TEXT,
    changed_by TEXT,
    changed_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE eoc_journals (name TEXT PRIMARY KEY, owner TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE eoc_journal (
    name TEXT NOT NULL, seq INTEGER NOT NULL, line TEXT NOT NULL, PRIMARY KEY (name, seq)
  ) STRICT, WITHOUT ROWID;
  `,
];

/** The version that this code reads and writes. */
const SCHEMA_VERSION = MIGRATIONS.length;

/** Brings the file to {@link SCHEMA_VERSION}. Two processes that do it at the same time do it once. */
export function migrate(db: DatabaseSync): void {
  if (storedVersion(db) === SCHEMA_VERSION) return;
  db.exec("BEGIN IMMEDIATE");
  try {
    for (let version = versionOf(db); version < SCHEMA_VERSION; version++) {
      db.exec(MIGRATIONS[version]!);
      db.exec(`PRAGMA user_version = ${version + 1}`);
    }
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    db.exec("COMMIT");
  } catch (error) {
    rollBack(db);
    throw error;
  }
}

/**
 * The version of the store in the file, 0 when there is none yet. All that is read of one moment: between two reads somebody else may
 * make of nothing a file of ours.
 * @throws StoreFailure `foreign_file`, `schema_newer`
 */
export function storedVersion(db: DatabaseSync): number {
  db.exec("BEGIN");
  try {
    return versionOf(db);
  } finally {
    rollBack(db);
  }
}

function versionOf(db: DatabaseSync): number {
  const version = numberOf(db, "PRAGMA user_version");
  if (numberOf(db, "PRAGMA application_id") !== APPLICATION_ID) {
    if (version !== 0 || numberOf(db, "SELECT count(*) FROM sqlite_schema") !== 0) {
      throw new StoreFailure("foreign_file", "the file is a database of something else");
    }
  } else if (version > SCHEMA_VERSION) {
    const versions = `it has version ${version}, and this one knows ${SCHEMA_VERSION}`;
    throw new StoreFailure("schema_newer", `the file was written by a newer version of @eoc/store-sqlite: ${versions}`);
  }
  return version;
}

function numberOf(db: DatabaseSync, sql: string): number {
  return Object.values(db.prepare(sql).get() ?? {})[0] as number;
}
