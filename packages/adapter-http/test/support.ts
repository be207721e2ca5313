import type { AddressInfo, Server } from "node:net";
import type { AttemptContext, PlannedAction } from "@eoc/core";

export function anAction(overrides: Partial<PlannedAction> = {}): PlannedAction {
  return { id: "action-0", index: 0, action: "ACT", params: {}, effect: "once", ...overrides };
}

export function anAttempt(overrides: Partial<AttemptContext> = {}): AttemptContext {
  const { signal } = new AbortController();
  return { signal, attempt: 0, deadlineMs: 5000, context: {}, executionId: "execution", actionIndex: 0, ...overrides };
}

/** Listens on a free loopback port and says its origin. */
export function listen(server: Server): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });
}

export function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

/** Something to wait for: `once` resolves when it has `happened`. */
export function happening(): { once: Promise<void>; happened: () => void } {
  let happened = () => {};
  const once = new Promise<void>((resolve) => {
    happened = resolve;
  });
  return { once, happened };
}

/** What an executor's promise came to, thrown or not, as one plain value. */
export async function outcomeOf(result: unknown): Promise<unknown> {
  try {
    return await result;
  } catch (error) {
    if (error instanceof Error && "code" in error) return { ok: "unknown", code: error.code };
    throw error;
  }
}
