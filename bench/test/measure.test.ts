import { describe, expect, it } from "vitest";
import { verify, type Work } from "../src/contest.ts";
import { Hired } from "../src/measure/hired.ts";
import { median, Results } from "../src/measure/results.ts";
import { wantedBy } from "../src/measure/wanted.ts";
import { barChart } from "../src/print/chart.ts";
import { showLine, shownBy } from "../src/print/shows.ts";
import { tableOf } from "../src/print/table.ts";
import { workNamed } from "../src/works/index.ts";

function measured(): Results {
  const results = new Results("w");
  results.of("floor").cpuNs.push(100, 200, 1000);
  results.of("ours").cpuNs.push(200, 400, 1000);
  results.of("ours").bytes = 1234;
  results.of("ours").gauges["left"] = 0;
  return results;
}

const work: Work = {
  name: "w",
  title: "A work",
  operation: "thing",
  floor: "floor",
  contestants: { floor: () => ({ run: () => {} }), ours: () => ({ run: () => {} }), other: () => ({ run: () => {} }) },
  shows: [
    { show: 1, what: "ours beside the floor", value: (r) => r.ratio("ours", "floor"), atMost: 2 },
    { show: 2, what: "bytes", value: (r) => r.bytes("ours"), atMost: 1000, unit: "bytes" },
    { show: 3, what: "left behind", value: (r) => r.gauge("ours", "left"), atMost: 0, unit: "" },
    { show: 4, what: "never measured", value: (r) => r.gauge("ours", "nothing"), atMost: 1, unit: "" },
  ],
};

describe("results", () => {
  it("take ratios inside a round, then their median", () => {
    expect(measured().ratio("ours", "floor")).toBe(2);
    expect(measured().cpuNs("floor")).toBe(200);
  });

  it("have a median of any number of rounds, and none of none", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  it("are shown one line a figure; one that was not measured is missed", () => {
    expect(shownBy(work, measured()).map(showLine)).toEqual([
      "SHOW 1: ours beside the floor 2 × (asked ≤ 2 ×) ok",
      "SHOW 2: bytes 1234 bytes (asked ≤ 1000 bytes) MISSED",
      "SHOW 3: left behind 0 (asked ≤ 0) ok",
      "SHOW 4: never measured NaN (asked ≤ 1) MISSED",
    ]);
  });

  it("are written with as many digits as it takes to see that they are missed", () => {
    const missed = { show: 1, what: "ours", value: () => 0.5004, atMost: 0.5 };
    expect(shownBy({ ...work, shows: [missed] }, measured()).map(showLine)).toEqual([
      "SHOW 1: ours 0.5004 × (asked ≤ 0.5 ×) MISSED",
    ]);
  });

  it("have no time where a work has none to say, no table where nobody was measured, and no NaN", () => {
    const timeless = { ...work, withoutTime: true, withoutBytes: true } as const;
    expect(tableOf(timeless, measured())).toContain("|  | left |\n| --- | ---: |\n| floor |  |\n| ours | 0 |");
    expect(tableOf(work, new Results("w"))).toBe("");
    expect(tableOf({ ...work, floor: "other" }, measured())).not.toContain("NaN");
  });

  it("are a table and a picture", () => {
    expect(tableOf(work, measured())).toContain("| ours | 400 ns | 2 | 1,234 | 0 |");
    const svg = barChart("a < b", [{ label: "ours", value: 2, text: "2 ×", tone: "ours" }], 1);
    expect(svg).toContain("a &lt; b");
    expect(svg.match(/<rect/g)).toHaveLength(2);
  });
});

describe("the short form", () => {
  it("measures those that the shows look at", () => {
    expect([...wantedBy(work).contestants]).toEqual(["ours", "floor"]);
    expect([...wantedBy(work).measuredBeyondTime]).toEqual(["ours"]);

    const timed = { ...work, shows: [{ show: 1, what: "time", value: (r: Results) => r.cpuNs("other"), atMost: 1 }] };
    expect([...wantedBy(timed).contestants]).toEqual(["other"]);
    expect([...wantedBy(timed).measuredBeyondTime]).toEqual([]);
  });
});

describe("a contestant", () => {
  it("that gets something wrong fails its work", () => {
    expect(() => verify(false, "somebody", { status: "denied" })).toThrow(
      'somebody got a wrong result: {"status":"denied"}',
    );
  });

  it("works in a process of its own, and is missed when that ends", async () => {
    const there = new Hired("limiter", "sliding log by hand");
    const { count } = await there.ask({ order: "warm", warmMs: 1, sliceMs: 1, count: 10 });
    const { cpuNs } = await there.ask({ order: "slice" });
    there.dismiss();
    expect(count).toBe(10);
    expect(cpuNs).toBeGreaterThanOrEqual(0);

    const gone = new Hired("limiter", "nobody");
    await expect(gone.ask({ order: "slice" })).rejects.toThrow(
      /^limiter, nobody: its process ended with 1: TypeError: /,
    );
  });

  it("of a work that is not there is refused by name", () => {
    expect(() => workNamed("nothing")).toThrow(/no work named nothing; there are happy, /);
  });
});
