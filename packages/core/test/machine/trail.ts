import type { Command, Input } from "../../src/machine/index.js";
import type { ExecutionEvent } from "../../src/report/events.js";

/** One input of a path, what came of it, and the path before it. */
export interface Trail {
  readonly input: Input;
  readonly commands: readonly Command[];
  readonly before: Trail | undefined;
}

/** The transcript of a path. */
export function eventsOf(trail: Trail | undefined): ExecutionEvent[] {
  const events: ExecutionEvent[] = [];
  for (let at = trail; at !== undefined; at = at.before) {
    for (let i = at.commands.length - 1; i >= 0; i--) {
      const command = at.commands[i]!;
      if (command.type === "emit" || command.type === "intend") events.push(command.event);
    }
  }
  return events.reverse();
}

/** An invariant that does not hold, with the path that shows it. */
export class Violation extends Error {
  constructor(what: string, trail: Trail | undefined) {
    super(`${what}\n${story(trail)}`);
  }
}

/** A path, for people to read. */
function story(trail: Trail | undefined): string {
  const lines: string[] = [];
  for (let at = trail; at !== undefined; at = at.before) {
    lines.push(`  ${JSON.stringify(at.input)}\n    → ${at.commands.map(brief).join(" · ")}`);
  }
  return lines.reverse().join("\n");
}

function brief(command: Command): string {
  if (command.type !== "emit" && command.type !== "intend") return JSON.stringify(command);
  const { atMs: _at, executionId: _id, ...event } = command.event;
  return `${command.type} ${JSON.stringify(event)}`;
}
