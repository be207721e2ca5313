import { beforeAll, describe, expect, it } from "vitest";
import { bundleChild, runToEnd } from "./process/children.js";
import type { Scene } from "./process/closing.js";
import { aFile } from "./support.js";

let script: string;

beforeAll(async () => {
  script = await bundleChild("closing");
}, 60_000);

describe("a process that has nothing else to do goes on behind `await close()`, and ends as it wants to", () => {
  const scenes: Record<Scene, string> = {
    gate: "after an execution that a gate has refused",
    hold: "after a HOLD",
    notAllowed: "after a decision that is not allowed",
    cancelled: "after an execution that was cancelled before it began",
    subscribed: "when somebody has just looked at the switch",
    stillSubscribed: "when somebody still looks at the switch",
    asked: "when answers are awaited",
    twice: "when it is closed twice",
    oneOfTwo: "when the file is open twice",
    readJournals: "when journals were read",
    overdue: "when what was asked before is given up meanwhile",
    cannotOpen: "and where there is nothing to close, because the file cannot be opened",
    journalInUse: "and behind an opening that is refused as its journal is in use",
    deadThread: "when the thread is dead, or dies meanwhile",
    failingThread: "when the thread fails meanwhile",
    alone: "and behind all that can be waited for before",
    hangingExecutor: "after an executor that hangs",
  };

  for (const [scene, name] of Object.entries(scenes)) {
    it(name, async () => {
      expect(await runToEnd(script, [aFile(), scene])).toEqual({ code: 7, out: "went on\n", err: "" });
    });
  }
});
