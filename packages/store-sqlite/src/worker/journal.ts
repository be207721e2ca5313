import type { DatabaseSync } from "node:sqlite";
import { StoreFailure } from "./failure.ts";
import type { Owner } from "./owner.ts";

/** The lines of journals (S8.2), each of one writer at a time. */
export class Journals {
  readonly #owner: Owner;
  readonly #sql;

  constructor(db: DatabaseSync, owner: Owner) {
    this.#owner = owner;
    this.#sql = {
      writer: db.prepare("SELECT owner FROM eoc_journals WHERE name = ?"),
      take: db.prepare("INSERT OR REPLACE INTO eoc_journals VALUES (?, ?)"),
      last: db.prepare("SELECT seq, line FROM eoc_journal WHERE name = ? ORDER BY seq DESC LIMIT 1"),
      lastSeq: db.prepare("SELECT coalesce(max(seq), -1) AS seq FROM eoc_journal WHERE name = ?"),
      append: db.prepare("INSERT INTO eoc_journal VALUES (?, ?, ?)"),
      names: db.prepare("SELECT DISTINCT name FROM eoc_journal ORDER BY name"),
      read: db.prepare("SELECT seq, line FROM eoc_journal WHERE name = ? AND seq > ? ORDER BY seq LIMIT ?"),
    };
  }

  /** Becomes the writer of a journal, and gives its last line. */
  open(name: string): { seq: number; line: string } | null {
    const owner = this.#writerOf(name);
    if (owner !== undefined && owner !== this.#owner.name && this.#owner.isAlive(owner)) {
      throw new StoreFailure(
        "journal_in_use",
        "another runtime, of this process or of another, writes this journal: close that one, or give each a name of its own",
      );
    }
    this.#sql.take.run(name, this.#owner.name);
    return (this.#sql.last.get(name) as { seq: number; line: string } | undefined) ?? null;
  }

  append(name: string, seq: number, line: string): null {
    const { seq: last } = this.#sql.lastSeq.get(name) as { seq: number };
    if (seq !== last + 1 || this.#writerOf(name) !== this.#owner.name) {
      throw new StoreFailure("journal_conflict", `line ${seq} does not follow line ${last}, or it has another writer`);
    }
    this.#sql.append.run(name, seq, line);
    return null;
  }

  /** Of those that hold a line. */
  names(): string[] {
    return this.#sql.names.all().map((row) => row["name"] as string);
  }

  read(name: string, afterSeq: number, count: number): [seq: number, line: string][] {
    return this.#sql.read
      .all(name, afterSeq, count)
      .map((row): [number, string] => [row["seq"] as number, row["line"] as string]);
  }

  #writerOf(name: string): string | undefined {
    return (this.#sql.writer.get(name) as { owner: string } | undefined)?.owner;
  }
}
