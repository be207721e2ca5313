import type { IdempotencyState } from "@eoc/core";
import { machineTime } from "../machine-time.ts";
import type { Operation, Request, ThreadOptions } from "../protocol.ts";
import { Journals } from "./journal.ts";
import { Keys } from "./keys.ts";
import { Moment } from "./moment.ts";
import { Owner } from "./owner.ts";
import { Permits } from "./permits.ts";
import type { StoreFile } from "./store-file.ts";
import { Switch } from "./switch.ts";

type Handler = (...args: never[]) => unknown;

/** What each request does, inside a transaction that somebody else begins and commits. */
export class Tables {
  readonly moment: Moment;
  readonly owner: Owner;
  readonly permits: Permits;
  readonly #keys: Keys;
  readonly #handlers: Readonly<Record<Operation, Handler>>;

  constructor({ db, path }: StoreFile, { time, bootId }: ThreadOptions) {
    const moment = new Moment(db, machineTime(time), bootId);
    const owner = new Owner(path);
    const keys = new Keys(db, moment);
    const permits = new Permits(db, moment, owner);
    const killSwitch = new Switch(db, moment);
    const journals = new Journals(db, owner);
    this.moment = moment;
    this.#keys = keys;
    this.owner = owner;
    this.permits = permits;
    this.#handlers = {
      claim: keys.claim.bind(keys),
      start: keys.start.bind(keys),
      renew: keys.renew.bind(keys),
      complete: keys.complete.bind(keys),
      release: keys.release.bind(keys),
      mark_unknown: keys.markUnknown.bind(keys),
      resolve: keys.resolve.bind(keys),
      find: (key: string) => {
        moment.take();
        return keys.find(key);
      },
      list: (state: IdempotencyState | null, after: string, count: number) => {
        moment.take();
        return keys.list(state, after, count);
      },
      acquire: permits.acquire.bind(permits),
      stamp: permits.stamp.bind(permits),
      cancel: permits.cancel.bind(permits),
      read_switch: killSwitch.read.bind(killSwitch),
      set_switch: killSwitch.set.bind(killSwitch),
      open_journal: journals.open.bind(journals),
      append: journals.append.bind(journals),
      journal_names: journals.names.bind(journals),
      read_journal: journals.read.bind(journals),
    };
  }

  /** Removes what nobody needs any more, in proportion to what the transaction has added. */
  tidy(): void {
    this.#keys.forget();
  }

  run([, operation, ...args]: Request): unknown {
    return this.#handlers[operation](...(args as never[]));
  }
}
