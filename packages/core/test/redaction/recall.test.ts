import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { HARMLESS_KEYS } from "../../src/redaction/key-names.js";
import { alarmsOf, harmlessSamples, recallInTheWild, recallOfLeaks } from "./measure.js";

/** What is published in docs/reference-differences.md. To get better is welcome: then change it there too. */
const PUBLISHED = {
  must: { found: 53, of: 53 },
  should: { found: 83, of: 83 },
  wild: { found: 68, of: 84 },
  benign: { alarms: 27, alarmsWithHarmlessKeys: 2, of: 303 },
};

describe("S9.3 the published recall and false alarms", () => {
  for (const required of ["must", "should"] as const) {
    it(`finds what the reference leaks and a port ${required} mask`, () => {
      const result = recallOfLeaks(required);

      console.log(`recall, upstream_leaks, ${required}: ${result.found} of ${result.of}`);
      expect(result.of).toBe(PUBLISHED[required].of);
      expect(result.found).toBeGreaterThanOrEqual(PUBLISHED[required].found);
    });
  }

  it("finds no less than was published in log lines from the wild", () => {
    const result = recallInTheWild();

    console.log(`recall, log lines from the wild: ${result.found} of ${result.of}`);
    expect(result.of).toBe(PUBLISHED.wild.of);
    expect(result.found).toBeGreaterThanOrEqual(PUBLISHED.wild.found);
  });

  it("gives no more false alarms than were published", () => {
    const samples = harmlessSamples();
    const alarms = alarmsOf({});
    const withHarmlessKeys = alarmsOf({ allowKeys: HARMLESS_KEYS });

    console.log(
      `false alarms: ${alarms.length} of ${samples}; with HARMLESS_KEYS allowed: ${withHarmlessKeys.join(", ")}`,
    );
    expect(samples).toBe(PUBLISHED.benign.of);
    expect(alarms.length).toBeLessThanOrEqual(PUBLISHED.benign.alarms);
    expect(withHarmlessKeys.length).toBeLessThanOrEqual(PUBLISHED.benign.alarmsWithHarmlessKeys);
  });

  it("gives by default hardly an alarm that the reference does not give too", () => {
    const reference = /password|secret|token|key|auth|credential|private/;
    const own = alarmsOf({}).filter((alarm) => !reference.test(alarm.replace(/[-_]/g, "").toLowerCase()));

    expect(own).toEqual(["/messages/m41 (value: card_number)"]);
  });

  it("is measured as docs/redaction.md says (`vitest -u` rewrites its table)", async () => {
    const page = new URL("../../../../docs/redaction.md", import.meta.url);
    const text = readFileSync(page, "utf8");
    const measured = text.replace(/(<!-- table: measured -->\n).*?(<!-- \/table -->)/s, `$1${measuredTable()}\n$2`);

    expect(measured).toContain(measuredTable());
    await expect(measured).toMatchFileSnapshot(page.pathname);
  });
});

function measuredTable(): string {
  const [must, should, wild] = [recallOfLeaks("must"), recallOfLeaks("should"), recallInTheWild()];
  const alarms = (options: { allowKeys?: readonly string[] }) => `${alarmsOf(options).length} of ${harmlessSamples()}`;
  const rows = [
    ["samples", "result"],
    ["", ""],
    ["secrets that the reference leaks and a port must mask", `${must.found} of ${must.of} found`],
    ["secrets that the reference leaks and a port should mask", `${should.found} of ${should.of} found`],
    ["secrets in log lines as they are written in the wild", `${wild.found} of ${wild.of} found`],
    ["keys and values without a secret", `${alarms({})} masked by mistake`],
    ["the same, with `HARMLESS_KEYS` allowed", `${alarms({ allowKeys: HARMLESS_KEYS })} masked by mistake`],
  ];
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map(
      (row, index) =>
        `| ${row.map((cell, column) => cell.padEnd(widths[column]!, index === 1 ? "-" : " ")).join(" | ")} |`,
    )
    .join("\n");
}
