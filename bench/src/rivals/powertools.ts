import {
  IdempotencyConfig,
  IdempotencyItemAlreadyExistsError,
  makeIdempotent,
} from "@aws-lambda-powertools/idempotency";
import { BasePersistenceLayer, type IdempotencyRecord } from "@aws-lambda-powertools/idempotency/persistence";

/** Powertools over a `Map`, so that only its own work counts. */
class MapPersistence extends BasePersistenceLayer {
  readonly #records = new Map<string, IdempotencyRecord>();

  protected async _getRecord(key: string): Promise<IdempotencyRecord> {
    const record = this.#records.get(key);
    if (record === undefined) throw new Error("no such record");
    return record;
  }

  protected async _putRecord(record: IdempotencyRecord): Promise<void> {
    const existingRecord = this.#records.get(record.idempotencyKey);
    if (existingRecord !== undefined && !existingRecord.isExpired()) {
      throw new IdempotencyItemAlreadyExistsError("the key is known", existingRecord);
    }
    this.#records.set(record.idempotencyKey, record);
  }

  protected async _updateRecord(record: IdempotencyRecord): Promise<void> {
    this.#records.set(record.idempotencyKey, record);
  }

  protected async _deleteRecord({ idempotencyKey }: IdempotencyRecord): Promise<void> {
    this.#records.delete(idempotencyKey);
  }
}

/** A function whose every payload is worked on once. */
export function createPowertools<T>(work: () => Promise<T>): (payload: Record<string, string>) => Promise<T> {
  const options = { persistenceStore: new MapPersistence(), config: new IdempotencyConfig({}) };
  return makeIdempotent(async (_payload: Record<string, string>) => (await work()) as never, options) as never;
}
