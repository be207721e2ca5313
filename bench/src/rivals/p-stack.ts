import pLimit from "p-limit";
import pRetry from "p-retry";
import pTimeout from "p-timeout";

export type PStackForm = "default" | "tuned";

const TOO_LATE = new Error("too late");

/** p-limit around p-retry around p-timeout. By default p-timeout builds its error in advance; tuned it is handed one. */
export function createPStack(form: PStackForm, slots = 64, signal?: AbortSignal) {
  const limit = pLimit(slots);
  const timeout = form === "default" ? { milliseconds: 5000 } : { milliseconds: 5000, message: TOO_LATE };
  const limited = signal === undefined ? timeout : { ...timeout, signal };
  const retries = { retries: 3, minTimeout: 0, ...(signal === undefined ? undefined : { signal }) };
  return <T>(task: () => Promise<T>): Promise<T> => limit(() => pRetry(() => pTimeout(task(), limited), retries));
}
