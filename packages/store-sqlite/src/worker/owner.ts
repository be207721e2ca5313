import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { isBusy } from "./failure.ts";

/**
 * Who holds permits and journals: this connection, under a name of its own. The name is that of a file beside the database, which is
 * locked for as long as the process lives; the system lets go of the lock when it dies, whatever it dies of. So whether an owner is
 * alive is known, not guessed from a pulse, in other containers on the same machine too.
 */
export class Owner {
  readonly #prefix: string;
  #held: { name: string; lock: DatabaseSync } | undefined;

  constructor(path: string) {
    this.#prefix = `${path}-owner-`;
  }

  /** This connection's name; its lock is taken when it is first needed. */
  get name(): string {
    this.#held ??= this.#take();
    return this.#held.name;
  }

  get isHeld(): boolean {
    return this.#held !== undefined;
  }

  #take(): { name: string; lock: DatabaseSync } {
    for (;;) {
      const name = randomBytes(8).toString("hex");
      const file = this.#prefix + name;
      const lock = new DatabaseSync(file);
      // Somebody who clears away may have taken the new file for one that was left behind.
      if (tryLock(lock) && existsSync(file)) return { name, lock };
      lock.close();
    }
  }

  isAlive(name: string): boolean {
    if (name === this.#held?.name) return true;
    const file = this.#prefix + name;
    if (!existsSync(file)) return false;
    const lock = new DatabaseSync(file);
    try {
      return !tryLock(lock);
    } finally {
      lock.close();
    }
  }

  /** Removes the files of owners that have died. */
  clearAway(): void {
    const [folder, start] = [dirname(this.#prefix), basename(this.#prefix)];
    for (const file of readdirSync(folder)) {
      const name = file.startsWith(start) ? file.slice(start.length) : "";
      if (!/^[0-9a-f]{16}$/.test(name) || name === this.#held?.name) continue;
      const path = join(folder, file);
      const lock = new DatabaseSync(path);
      try {
        // While the lock is held, so that nobody's new file is taken away from him unnoticed.
        if (tryLock(lock)) rmSync(path, { force: true });
      } catch {
        // Some systems remove no file that is open. It stays, and is in nobody's way.
      } finally {
        lock.close();
      }
    }
  }

  release(): void {
    if (this.#held === undefined) return;
    const { name, lock } = this.#held;
    this.#held = undefined;
    lock.close();
    rmSync(this.#prefix + name, { force: true });
  }
}

function tryLock(lock: DatabaseSync): boolean {
  try {
    lock.exec("PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    return true;
  } catch (error) {
    if (isBusy(error)) return false;
    throw error;
  }
}
