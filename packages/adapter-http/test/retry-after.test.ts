import { describe, expect, it } from "vitest";
import { retryAfterMs } from "../src/retry-after.js";

const NOON = Date.UTC(2026, 10, 6, 12, 0, 0);

const wait = (value: string, date?: string, nowMs = NOON) =>
  retryAfterMs(new Headers({ "retry-after": value, ...(date === undefined ? {} : { date }) }), () => nowMs);

describe("Retry-After", () => {
  it("is absent when there is no header", () => {
    expect(retryAfterMs(new Headers(), () => NOON)).toBeUndefined();
  });

  it("counts seconds, zero included", () => {
    expect(["0", "1", "120", " 7 "].map((value) => wait(value))).toEqual([0, 1000, 120_000, 7000]);
  });

  it("stays a safe integer for any number of digits", () => {
    expect(wait("9".repeat(400))).toBe(Number.MAX_SAFE_INTEGER);
  });

  it("measures a date from the response's own date, whatever our clock says", () => {
    const value = "Fri, 06 Nov 2026 12:00:30 GMT";
    expect(wait(value, "Fri, 06 Nov 2026 12:00:00 GMT", 0)).toBe(30_000);
  });

  it("measures a date from the clock when the response has no readable date", () => {
    expect(wait("Fri, 06 Nov 2026 12:00:30 GMT")).toBe(30_000);
    expect(wait("Fri, 06 Nov 2026 12:00:30 GMT", "yesterday")).toBe(30_000);
  });

  it("is zero for a date that has passed", () => {
    expect(wait("Fri, 06 Nov 2026 11:59:59 GMT")).toBe(0);
  });

  it("reads a leap second as the second before it", () => {
    const date = "Thu, 31 Dec 2026 23:59:00 GMT";
    expect(wait("Thu, 31 Dec 2026 23:59:60 GMT", date)).toBe(59_000);
  });

  it("reads the two obsolete date forms, and a two-digit year as at most 50 years ahead", () => {
    expect(wait("Friday, 06-Nov-26 12:00:30 GMT")).toBe(30_000);
    expect(wait("Fri Nov  6 12:00:30 2026")).toBe(30_000);
    expect(wait("Monday, 06-Nov-76 12:00:00 GMT")).toBeGreaterThan(49 * 365 * 86_400_000);
    expect(wait("Sunday, 06-Nov-77 12:00:00 GMT")).toBe(0);
  });

  it("is absent when the header is malformed", () => {
    const malformed = [
      "",
      "soon",
      "-1",
      "1.5",
      "1e3",
      "0x10",
      "1, 2",
      "2026-11-06T12:00:30Z",
      "Fri, 31 Feb 2026 12:00:00 GMT",
      "Fri, 06 Nov 2026 24:00:00 GMT",
      "Fri, 06 Nov 2026 12:60:00 GMT",
      "Fri, 06 Nov 2026 12:00:61 GMT",
      "Fri, 06 Nov 2026 12:00:30 GMT, Fri, 06 Nov 2026 12:00:30 GMT",
    ];
    expect(malformed.map((value) => wait(value))).toEqual(malformed.map(() => undefined));
    expect(wait("Fri, 06 nov 2026 12:00:30 GMT")).toBeUndefined();
  });
});
