import type { DatabaseSync } from "node:sqlite";
import type { StoredSwitch } from "../protocol.ts";
import type { Moment } from "./moment.ts";

/** Changes of the switch that are kept: the last is its state, the others are its history. */
const KEPT = 1000;

/** The kill switch (S2). */
export class Switch {
  readonly #moment: Moment;
  readonly #sql;

  constructor(db: DatabaseSync, moment: Moment) {
    this.#moment = moment;
    this.#sql = {
      last: db.prepare(`SELECT revision, halted, reason, changed_by, changed_at FROM eoc_switch
        ORDER BY revision DESC LIMIT 1`),
      change: db.prepare("INSERT INTO eoc_switch VALUES (?, ?, ?, ?, ?)"),
      forget: db.prepare("DELETE FROM eoc_switch WHERE revision <= ?"),
    };
  }

  read(): StoredSwitch {
    const row = this.#sql.last.get();
    if (row === undefined) return { revision: 0, halted: false, reason: null, changedBy: null, changedAtMs: null };
    return {
      revision: row["revision"] as number,
      halted: row["halted"] !== 0,
      reason: row["reason"] as string | null,
      changedBy: row["changed_by"] as string | null,
      changedAtMs: row["changed_at"] as number,
    };
  }

  set(halted: boolean, reason: string | null, changedBy: string | null): StoredSwitch {
    const revision = this.read().revision + 1;
    this.#sql.change.run(revision, Number(halted), reason, changedBy, this.#moment.wallMs);
    this.#sql.forget.run(revision - KEPT);
    return this.read();
  }
}
