import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ArmedTimer, TimerHeap } from "../src/timer-heap.js";

const timer = (dueMs: number, order: number): ArmedTimer => ({
  dueMs,
  order,
  callback: () => {},
  name: undefined,
  slot: -1,
});

describe("TimerHeap", () => {
  it("gives timers back by due time, then by order of arming, whatever was removed in between", () => {
    const step = fc.record({ dueMs: fc.nat(20), removes: fc.option(fc.nat(), { nil: undefined }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const heap = new TimerHeap();
        const armed: ArmedTimer[] = [];
        for (const [order, { dueMs, removes }] of steps.entries()) {
          const added = timer(dueMs, order);
          heap.add(added);
          armed.push(added);
          if (removes !== undefined) heap.remove(armed.splice(removes % armed.length, 1)[0]!);
        }
        const expected = [...armed].sort((a, b) => a.dueMs - b.dueMs || a.order - b.order);
        expect(heap.inOrder()).toEqual(expected);
        const drained: ArmedTimer[] = [];
        for (let first = heap.first; first !== undefined; first = heap.first) {
          heap.remove(first);
          drained.push(first);
        }
        expect(drained).toEqual(expected);
      }),
    );
  });

  it("ignores the removal of a timer that is no longer in it", () => {
    const heap = new TimerHeap();
    const [one, two] = [timer(1, 0), timer(2, 1)];
    heap.add(one);
    heap.add(two);
    heap.remove(one);
    heap.remove(one);
    expect(heap.size).toBe(1);
    expect(heap.first).toBe(two);
  });
});
