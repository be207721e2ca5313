import { describe, expect, it } from "vitest";
import { rateLimitWaitMs } from "../src/rate-limit-fields.js";
import { parseStructuredDictionary, parseStructuredList } from "../src/structured-list.js";

const wait = (headers: Record<string, string>) => rateLimitWaitMs(new Headers(headers));
const waits = (...fields: string[]) => fields.map((field) => wait({ ratelimit: field }));

describe("the RateLimit field", () => {
  it("asks for a wait until a used-up quota is there again", () => {
    expect(waits('"default";r=0;t=30', '"default";r=0;t=0', "default;r=0;t=7", '"a";t=5;r=0;pk=:cGs=:')).toEqual([
      30_000, 0, 7000, 5000,
    ]);
  });

  it("asks for the longest wait of several used-up quotas, and ignores those with something left", () => {
    expect(waits('"burst";r=0;t=1, "hourly";r=0;t=60', '"burst";r=0;t=1,"daily";r=9;t=3600')).toEqual([60_000, 1000]);
  });

  it("asks for nothing when no quota is used up, or when it does not say until when", () => {
    expect(waits('"default";r=1;t=30', '"default";r=0', '"default";t=30', '"default"')).toEqual(
      new Array(4).fill(undefined),
    );
  });

  it("asks for nothing when it is malformed", () => {
    const malformed = [
      "",
      "r=0;t",
      '"a";r=0;t=-1',
      '"a";r=0;t=1.5',
      '"a;r=0;t=1',
      '"a";r=0;t=1,',
      '"a";r=0;;t=1',
      ";",
      "?2",
    ];
    expect(waits(...malformed)).toEqual(malformed.map(() => undefined));
  });

  it("stays a safe integer", () => {
    expect(waits('"a";r=0;t=999999999999999')).toEqual([Number.MAX_SAFE_INTEGER]);
  });

  it("is read in the form of draft 07 too", () => {
    expect(waits("limit=100, remaining=0, reset=5", "limit=100, remaining=3, reset=5")).toEqual([5000, undefined]);
  });

  it("is read as the three fields of drafts up to 06", () => {
    const three = (remaining: string, reset: string) =>
      wait({ "ratelimit-limit": "100", "ratelimit-remaining": remaining, "ratelimit-reset": reset });
    expect([three("0", "50"), three("1", "50"), three("0", "soon"), three("", "50")]).toEqual([
      50_000,
      undefined,
      undefined,
      undefined,
    ]);
    expect([wait({}), wait({ "x-ratelimit-remaining": "0", "x-ratelimit-reset": "50" })]).toEqual([
      undefined,
      undefined,
    ]);
  });
});

describe("a structured field", () => {
  it("is read as a list of items with parameters", () => {
    const list = parseStructuredList('"a\\"b\\\\";x=1.5;y;z=?0 ,\ttok/en:*;k=:aGk=:, -7');
    expect(list?.map(({ value, parameters }) => [value, Object.fromEntries(parameters)])).toEqual([
      ['a"b\\', { x: 1.5, y: true, z: false }],
      ["tok/en:*", { k: ":aGk=:" }],
      [-7, {}],
    ]);
  });

  it("is read as a dictionary", () => {
    expect([...parseStructuredDictionary('a=1, b;x=2, c="s"')!]).toEqual([
      ["a", 1],
      ["b", true],
      ["c", "s"],
    ]);
  });

  it("is read in linear time, however hostile", () => {
    const hostile = [
      '"'.repeat(50_000),
      "\\".repeat(50_000),
      `"${"\\\\".repeat(50_000)}`,
      "a;".repeat(50_000),
      "1".repeat(99),
    ];
    expect(hostile.map((text) => [parseStructuredList(text), parseStructuredDictionary(text)])).toEqual(
      hostile.map(() => [undefined, undefined]),
    );
  });
});
