import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Fifo, Place } from "../../src/local/fifo.js";

const moves = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ add: fc.integer({ min: 1, max: 40 }) }) },
    { weight: 2, arbitrary: fc.record({ remove: fc.nat(), times: fc.integer({ min: 1, max: 40 }) }) },
    { weight: 1, arbitrary: fc.record({ take: fc.integer({ min: 1, max: 40 }) }) },
  ),
  { maxLength: 40 },
);

describe("Fifo", () => {
  it("is a queue that may be left from anywhere", () => {
    fc.assert(
      fc.property(moves, (all) => {
        const fifo = new Fifo<Place>();
        let expected: Place[] = [];
        for (const move of all) {
          if ("add" in move) {
            for (let i = 0; i < move.add; i++) {
              const place = new Place();
              fifo.add(place);
              expected.push(place);
            }
          } else if ("take" in move) {
            for (let i = 0; i < move.take; i++) expect(fifo.take()).toBe(expected.shift());
          } else {
            for (let i = 0; i < move.times && expected.length > 0; i++) {
              const index = (move.remove * (i + 1)) % expected.length;
              const place = expected[index]!;
              expect(fifo.behind(place)).toBe(expected[index + 1]);
              fifo.remove(place);
              fifo.remove(place);
              expect(place.queued).toBe(false);
              expected = expected.toSpliced(index, 1);
            }
          }
          expect([...fifo].every((place, index) => place === expected[index] && place.queued)).toBe(true);
          expect([[...fifo].length, fifo.size]).toEqual([expected.length, expected.length]);
          expect([fifo.first === expected[0], fifo.last === expected.at(-1)]).toEqual([true, true]);
        }
      }),
    );
  });

  it("takes no more room than twice what stands in it, however many have passed", () => {
    const fifo = new Fifo<Place>();
    for (let passed = 0; passed < 1000; passed++) {
      fifo.add(new Place());
      if (passed > 10) fifo.take();
    }
    expect([fifo.size, fifo.last!.index < 100]).toEqual([11, true]);
  });
});
