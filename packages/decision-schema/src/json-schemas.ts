import * as z from "zod";
import { typeName } from "./errors.ts";
import { findNonJson, isWellFormed, type JsonProblem, MAX_JSON_DEPTH, problemAt, WELL_FORMED } from "./json-value.ts";

/** A JSON object, handed on as it is: neither copied nor stripped of any key. */
export const JsonObjectSchema = /* @__PURE__ */ (() =>
  (z.unknown() as z.ZodType<Record<string, unknown>, Record<string, unknown>>).check(({ value, issues }) => {
    const isObject = typeName(value) === "object";
    addProblem(issues, isObject ? findNonJson(value, MAX_JSON_DEPTH) : problemAt(value, "object"));
  }))();

/** What an unknown key of a wire object may hold: JSON, or `undefined` for nothing. */
export const UnknownValueSchema = /* @__PURE__ */ (() =>
  z.unknown().check(({ value, issues }) => {
    if (value !== undefined) addProblem(issues, findNonJson(value, MAX_JSON_DEPTH));
  }))();

/** A string that survives UTF-8. */
export const TextSchema = /* @__PURE__ */ (() => z.string().refine(isWellFormed, WELL_FORMED))();

function addProblem(issues: z.core.$ZodRawIssue[], problem: JsonProblem | undefined): void {
  if (problem) issues.push({ code: "custom", input: undefined, path: problem.path, message: problem.expected });
}
