import { describe, expect, it } from "vitest";
import { WORKS } from "../src/works/index.ts";

// What each imports is its own; what it gets wrong it throws.
describe("every contestant", { timeout: 30_000 }, () => {
  for (const work of WORKS.filter(({ name }) => name !== "import")) {
    for (const [name, make] of Object.entries(work.contestants)) {
      it(`of ${work.name} gets its results right: ${name}`, async () => {
        const contestant = await make();

        await contestant.run(3);
        await contestant.run(work.count === undefined ? 30 : 300);
        expect(contestant.run).toBeTypeOf("function");
      });
    }
    it(`of ${work.name} has a name of its own, and the floor is one of them`, () => {
      expect(Object.keys(work.contestants)).toContain(work.floor);
      expect(WORKS.filter((other) => other.name === work.name)).toEqual([work]);
    });
  }
});
