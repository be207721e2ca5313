import { describe, expect, it } from "vitest";
import { type Input, type MachineSnapshot, restore, snapshot, step } from "../../src/machine/index.js";
import { machineOf } from "./scenario.js";

const INPUTS: readonly Input[] = [
  { type: "start", at: 0 },
  { type: "intent", at: 0, action: 0, ok: true },
  { type: "timer", at: 2, action: 0 },
];

describe("snapshot and restore", () => {
  it("go on from JSON as if nothing had happened", () => {
    const machine = machineOf({ name: "", plan: ["once", "hold"] });
    for (const input of INPUTS) step(machine, input);
    const copy = restore(JSON.parse(JSON.stringify(snapshot(machine))));
    const input: Input = { type: "settled", at: 3, action: 0, attempt: 0, settlement: { kind: "applied" } };
    expect(step(copy, input)).toEqual(step(machine, input));
    expect(snapshot(copy)).toEqual(snapshot(machine));
  });

  it("take copies that later steps do not change", () => {
    const machine = machineOf({ name: "", plan: ["once"] });
    const before = snapshot(machine);
    const text = JSON.stringify(before);
    step(restore(before), INPUTS[0]!);
    step(machine, INPUTS[0]!);
    expect(JSON.stringify(before)).toBe(text);
  });

  it.each([
    ["nothing", undefined, "undefined"],
    ["null", null, "undefined"],
    ["another version", { version: 2, machine: {} }, "2"],
    ["no machine", { version: 1, machine: "new" }, "1"],
    ["an empty machine", { version: 1, machine: null }, "1"],
  ])("refuse what is no snapshot of this version: %s", (_, taken, received) => {
    expect(() => restore(taken as MachineSnapshot)).toThrow(
      expect.objectContaining({ code: "invalid_option", issues: [{ path: "version", expected: "1", received }] }),
    );
  });
});
