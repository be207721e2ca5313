import type { ExecutionEvent } from "@eoc/core";
import type { Run } from "./run.js";
import { ATTEMPT_SHAPE, EVENT_SHAPES, misfits, REPORT_SHAPE, ROW_SHAPE } from "./shape.js";
import type { Find } from "./violation.js";

/** INV-EXE-5, of the events; returns those that are well-formed, in order. */
export function checkEventShapes(events: readonly unknown[], find: Find): ExecutionEvent[] {
  const sound: ExecutionEvent[] = [];
  for (const event of events) {
    const { type, seq } = (typeof event === "object" && event !== null ? event : {}) as Record<string, unknown>;
    const place = typeof seq === "number" ? { seq } : {};
    const shape =
      typeof type === "string" && Object.hasOwn(EVENT_SHAPES, type)
        ? EVENT_SHAPES[type as ExecutionEvent["type"]]
        : undefined;
    if (shape === undefined) {
      find("S8.1", "something is not an event of the closed union", place);
      continue;
    }
    const wrong = misfits(event, shape);
    for (const misfit of wrong) find("S9.1", `${type as string} ${misfit}`, place);
    if (wrong.every((misfit) => misfit.includes("unexpected field"))) sound.push(event as ExecutionEvent);
  }
  return sound;
}

/** INV-EXE-5, of the report: nothing but what it has to say, and no declared secret anywhere. */
export function checkHygiene({ report, events, secrets }: Run, find: Find): void {
  for (const misfit of misfits(report, REPORT_SHAPE)) find("S9.1", `the report ${misfit}`);
  for (const [actionIndex, row] of report.actions.entries()) {
    for (const misfit of misfits(row, ROW_SHAPE)) find(clauseOf(misfit), `the row ${misfit}`, { actionIndex });
  }
  for (const attempt of report.attempts) {
    for (const misfit of misfits(attempt, ATTEMPT_SHAPE)) find("S9.1", `an attempt in the report ${misfit}`, attempt);
  }
  for (const [number, secret] of secrets.entries()) {
    // As JSON writes it, without the quotes.
    const written = JSON.stringify(secret).slice(1, -1);
    for (const event of events) {
      if (JSON.stringify(event).includes(written))
        find("S9.1", `${event.type} contains the declared secret ${number}`, event);
    }
    if (JSON.stringify(report).includes(written)) find("S9.1", `the report contains the declared secret ${number}`);
  }
}

function clauseOf(misfit: string): string {
  return misfit.includes('unexpected field "value"') ? "S9.2" : "S9.1";
}
