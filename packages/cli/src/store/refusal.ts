import { UsageError } from "../usage-error.js";
import { type StoreAddress, withoutSecrets } from "./store-address.js";

/** What a store has against it, without the secrets of its address. */
export function refusalOf(error: unknown, address: StoreAddress): UsageError {
  if (error instanceof UsageError) return error;
  return new UsageError(withoutSecrets(`the store cannot be used ${textOf(error)}`, address));
}

/** What went wrong, and what it was caused by. */
function textOf(error: unknown): string {
  const { code, message, cause } = error as {
    code?: string;
    message?: string;
    cause?: { code?: string; message?: string };
  };
  const why = cause?.code ?? cause?.message;
  return `(${[code ?? "error", ...(why === undefined ? [] : [why])].join(", ")}): ${message || "it says no more"}`;
}
