import assert from "node:assert/strict";
import { canonicalJson, digestDecision, FinalDecisionSchema, toIssues } from "@eoc/decision-schema";

const decision = FinalDecisionSchema.parse({ action: "ACT", params: { order: "o-1" } });
assert.equal(decision.allowed, true);
assert.equal(canonicalJson({ b: 1, a: [1.5, "é"] }), '{"a":[1.5,"é"],"b":1}');
assert.match(digestDecision(decision), /^[0-9a-f]{64}$/);
assert.notEqual(digestDecision({ ...decision, params: { order: "o-2" } }), digestDecision(decision));

const wrong = { action: "BUY" };
const { error } = FinalDecisionSchema.safeParse(wrong);
assert.deepEqual(error && toIssues(error, wrong).map(({ path }) => path), ["action"]);
