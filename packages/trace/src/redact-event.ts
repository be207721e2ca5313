import type { Redactor } from "@eoc/core";
import { sha256Hex } from "@eoc/decision-schema/read";

/** Masks an event. */
type RedactEvent = (event: object) => unknown;

/** What tells executions and actions apart, and ties them to the outside world. */
const IDS = ["executionId", "id", "idempotencyKey"];

/** Whether an id is one that was masked, as a record has it. */
export function isToldApart(id: string): boolean {
  return /~[0-9a-f]{8}$/.test(id);
}

export function withIdsAsTheyAre(redactor: Redactor): RedactEvent {
  return withIds(redactor, (_, id) => id);
}

/** Two ids that are masked alike would be one: the beginning of a digest follows them. */
export function withIdsToldApart(redactor: Redactor): RedactEvent {
  return withIds(redactor, (name, id) => {
    // By its name a key would always be masked.
    const masked =
      name === "idempotencyKey"
        ? redactor.redact(id)
        : (redactor.redact({ [name]: id }) as Record<string, unknown>)[name];
    return masked === id ? id : `${String(masked)}~${sha256Hex(id).slice(0, 8)}`;
  });
}

function withIds(redactor: Redactor, redactId: (name: string, id: string) => string): RedactEvent {
  return (event) => {
    const redacted = { ...(redactor.redact(event) as Record<string, unknown>) };
    for (const name of IDS) {
      const id = (event as Record<string, unknown>)[name];
      if (typeof id === "string") redacted[name] = redactId(name, id);
    }
    return redacted;
  };
}
