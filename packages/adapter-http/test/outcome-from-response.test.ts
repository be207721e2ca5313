import { describe, expect, it } from "vitest";
import { outcomeFromResponse } from "../src/outcome-from-response.js";
import { ANSWER_CASES, outcomeOfVerdict } from "./answer-cases.js";

const CHANGES = ["POST", "PUT", "PATCH", "DELETE", "PURGE"];
const READS = ["GET", "HEAD", "OPTIONS"];

describe("the outcome of an answer", () => {
  for (const { answer, statuses, headers = {}, keyed, redirected, change, read } of ANSWER_CASES) {
    it(`S3.1 ${answer}: ${change}; for a read: ${read}`, () => {
      for (const status of statuses) {
        for (const each of keyed === undefined ? [true, false] : [keyed]) {
          const outcome = (method: string) =>
            outcomeFromResponse(
              { method, keyed: each },
              { status, headers: new Headers(headers), ...(redirected === undefined ? {} : { redirected }) },
              () => 0,
            );
          expect(CHANGES.map(outcome)).toEqual(CHANGES.map(() => outcomeOfVerdict(change, status, redirected)));
          expect(READS.map(outcome)).toEqual(READS.map(() => outcomeOfVerdict(read, status, redirected)));
        }
      }
    });
  }

  it("heeds Retry-After before RateLimit", () => {
    const headers = new Headers({ "retry-after": "7", ratelimit: '"default";r=0;t=60' });
    const outcome = outcomeFromResponse({ method: "POST", keyed: false }, { status: 429, headers }, () => 0);
    expect(outcome).toEqual({ ok: false, code: "http_429", retryable: true, retryAfterMs: 7000 });
  });

  it("heeds both of 429 and 503 only", () => {
    const headers = new Headers({ "retry-after": "7", ratelimit: '"default";r=0;t=7' });
    const waits = [301, 404, 408, 425, 500].map((status) =>
      outcomeFromResponse({ method: "GET", keyed: false }, { status, headers }, () => 0),
    );
    expect(waits.every((outcome) => !("retryAfterMs" in outcome))).toBe(true);
  });
});
