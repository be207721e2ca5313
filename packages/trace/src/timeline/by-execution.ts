import { checkOption, isRecord } from "../check-option.js";
import { eventFault } from "../event-shape.js";
import type { JournalEvent } from "../journal-record.js";
import { addTo } from "../verify/ended-doubts.js";
import { provesEffect } from "../verify/paired-execution.js";
import type { DrawnEvent, KeyFound } from "./from-events.js";

/** What there is to draw of one execution. */
interface DrawnExecution {
  readonly events: readonly DrawnEvent[];
  readonly keysFound: readonly KeyFound[];
}

interface Execution extends DrawnExecution {
  readonly events: DrawnEvent[];
  readonly keysFound: KeyFound[];
  /** It has ended, or its writer has been replaced: what it left in doubt it will not settle itself. */
  isOver: boolean;
  readonly claimed: Map<number, string>;
  /** Actions that it has dispatched, or meant to. */
  readonly intended: Set<number>;
}

/** An action that had claimed a key. */
interface Claim {
  readonly execution: Execution;
  readonly actionIndex: number;
}

/**
 * Events by execution, in the order in which they began; one that begins anew under the same id is another. What reconcile of one of
 * them found of a key is told to those before it that had claimed the key, as the journal's pairing does (`verifyJournal`).
 *
 * @throws EocError `invalid_option` for what is no event, such as a line or a record of a journal
 */
export function byExecution(events: Iterable<JournalEvent>): DrawnExecution[] {
  const executions: Execution[] = [];
  const last = new Map<string, Execution>();
  const running = new Set<Execution>();
  const claims = new Map<string, Claim[]>();

  function begin(id: string): Execution {
    // Another one has its id while it is there: nobody knows whose what follows is.
    running.delete(last.get(id)!);
    const execution: Execution = { events: [], keysFound: [], isOver: false, claimed: new Map(), intended: new Set() };
    last.set(id, execution);
    executions.push(execution);
    running.add(execution);
    return execution;
  }

  function end(execution: Execution): void {
    execution.isOver = true;
    running.delete(execution);
  }

  function found(key: string, outcome: "applied" | "not_applied"): void {
    const left: Claim[] = [];
    for (const claim of claims.get(key) ?? []) {
      const { execution, actionIndex } = claim;
      if (execution.isOver) execution.keysFound.push({ actionIndex, outcome });
      else left.push(claim);
    }
    claims.set(key, left);
  }

  let place = 0;
  for (const event of events) {
    const isEvent = isRecord(event) && typeof event.type === "string";
    checkOption(isEvent, `events[${place++}]`, "an event: of a journal's record, its `event`", event);
    if (event.type === "journal.opened" || event.type === "journal.resumed") for (const each of running) end(each);
    // A journal's own record of something else, or something that somebody made up.
    if (!(event.type === "journal.settled" || "atMs" in event) || eventFault(event as never) !== undefined) continue;
    const known = last.get(event.executionId);
    if (event.type === "journal.settled") {
      known?.events.push(event);
      continue;
    }
    const execution = known === undefined || event.type === "execution.started" ? begin(event.executionId) : known;
    const { claimed, intended } = execution;
    execution.events.push(event);
    if (event.type === "key.claimed") {
      const { actionIndex, idempotencyKey } = event;
      claimed.set(actionIndex, idempotencyKey);
      addTo(claims, idempotencyKey, { execution, actionIndex });
    } else if (event.type === "attempt.intended") intended.add(event.actionIndex);
    else if (event.type === "execution.finished") end(execution);
    else if (event.type === "reconcile.finished" && event.verdict !== "unknown") {
      const key = claimed.get(event.actionIndex);
      // Before any dispatch of its own it was asked of the key, which was found in doubt.
      if (key !== undefined && !intended.has(event.actionIndex) && provesEffect(event)) found(key, event.verdict);
    }
  }
  return executions;
}
