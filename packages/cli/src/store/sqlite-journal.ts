import type { CliIo } from "../io.js";
import { UsageError } from "../usage-error.js";
import { call, loadPackage } from "./load-package.js";
import { refusalOf } from "./refusal.js";
import type { StoreAddress } from "./store-address.js";

interface Journals {
  names(): Promise<string[]>;
  lines(name: string): AsyncGenerator<string, void, undefined>;
  close(): Promise<void>;
}

/**
 * The lines of a journal in a SQLite file, which is not changed.
 * @param name which of its journals
 * @throws UsageError where there is no such journal, or the file cannot be used
 */
export async function* readSqliteJournal(
  address: StoreAddress,
  name: string,
  io: CliIo,
): AsyncGenerator<string, void, undefined> {
  const { module } = await loadPackage(["@eoc/store-sqlite"], io);
  let journals: Journals | undefined;
  try {
    journals = (await call(module, "openSqliteJournals", address.target)) as Journals;
    let isEmpty = true;
    for await (const line of journals.lines(name)) {
      isEmpty = false;
      yield line;
    }
    // Not to be answered with "nothing was in flight".
    if (isEmpty) throw new UsageError(missing(address, name, await journals.names()));
  } catch (error) {
    throw refusalOf(error, address);
  } finally {
    await journals?.close();
  }
}

function missing({ target }: StoreAddress, name: string, names: readonly string[]): string {
  if (names.length === 0) return `sqlite:${target} holds no journal`;
  return `sqlite:${target} holds no journal ${name}, but ${names.join(", ")}: choose one with --journal`;
}
