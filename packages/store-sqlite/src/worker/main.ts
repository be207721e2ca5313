// The store's thread. Imports end in `.ts` here and in what it shares with the main thread, so that tests can start it as it is;
// the build bundles it.

import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { MainMessage, ThreadMessage, ThreadOptions } from "../protocol.ts";
import { failureOf } from "./failure.ts";
import { StoreFile } from "./store-file.ts";
import { Tables } from "./tables.ts";
import { Transactions } from "./transactions.ts";

const port = parentPort!;
const post = (message: ThreadMessage) => port.postMessage(message);

function run(options: ThreadOptions): void {
  const file = new StoreFile(options);
  const tables = new Tables(file, options);
  const transactions = new Transactions(file, tables, options.busyTimeoutMs, (answers) => post({ answers }));
  if (!options.readOnly) tidyUp(tables, transactions);

  let isClosing = false;
  const take = (message: MainMessage) => {
    if (message === "close") isClosing = true;
    else transactions.add(message);
  };

  port.on("message", (first: MainMessage) => {
    take(first);
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
      take(next.message as MainMessage);
    }
    if (isClosing) close();
    else transactions.work();
  });

  function close(): void {
    if (options.readOnly) transactions.work();
    else transactions.finish(() => tables.permits.stampOwn());
    tables.owner.release();
    file.close();
    port.close();
  }

  post({ opened: true });
}

/** Removes what those have left behind who died. Another time will do as well. */
function tidyUp({ permits, owner }: Tables, transactions: Transactions): void {
  if (permits.areThere()) {
    transactions.flush(() => {
      permits.stampForTheDead();
      permits.sweep();
    });
  }
  owner.clearAway();
}

try {
  run(workerData as ThreadOptions);
} catch (error) {
  post({ failed: failureOf(error) });
  port.close();
}
