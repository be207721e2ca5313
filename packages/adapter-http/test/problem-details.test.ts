import { describe, expect, it } from "vitest";
import { problemDetails } from "../src/problem-details.js";

const problem = (value: unknown, type = "application/problem+json; charset=utf-8") =>
  problemDetails(new Headers({ "content-type": type }), value);

describe("problem details", () => {
  it("are reduced to type, status and instance", () => {
    const full = {
      type: "https://example.com/out-of-credit",
      title: "You do not have enough credit.",
      status: 403,
      detail: "Your balance is s3cr3t.",
      instance: "/account/12345/msgs/abc",
      balance: 30,
    };
    const { type, status, instance } = full;
    expect(problem(full)).toEqual({ type, status, instance });
  });

  it("have the type about:blank when they name none", () => {
    expect(problem({})).toEqual({ type: "about:blank" });
  });

  it("leave out members of the wrong type, or too long to be a reference", () => {
    const wrong = [
      { type: 7, status: "403", instance: null },
      { type: "", status: 99, instance: ["/a"] },
      { type: "a b", status: 600, instance: "line\nbreak" },
      { type: "x".repeat(1001), status: 200.5, instance: "é" },
    ];
    expect(wrong.map((value) => problem(value))).toEqual(wrong.map(() => ({ type: "about:blank" })));
  });

  it("are in bodies of their own media type only", () => {
    expect(problem({ type: "a" }, "APPLICATION/problem+JSON")).toEqual({ type: "a" });
    expect([problem({ type: "a" }, "application/json"), problem([]), problem("text"), problem(null)]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
