// What parsing a typical decision costs, side by side with plain zod on the same schema. Run: node packages/decision-schema/bench/parse.ts
// The two take turns in short rounds, so that whatever else the machine does hits both; the median of the rounds' ratios counts.

import * as z from "zod";
import { FinalDecisionSchema } from "../src/index.ts";

const ROUNDS = 201;
const PARSES_PER_ROUND = 2_000;

const decision = {
  action: "ACT",
  allowed: true,
  reasons: ["anomaly_signal", "within_limits"],
  actions: [
    { action: "CANCEL", id: "cancel-old", params: { order_id: "o-1881" }, effect: "idempotent" },
    {
      action: "ACT",
      id: "place-new",
      params: {
        "example:symbol": "ABC",
        quantity: 12,
        price: 101.25,
        tags: ["a", "b"],
        limits: { max: 5, soft: true },
      },
      idempotency_key: "run-7:place-new",
    },
  ],
  mismatch: null,
  throttle_ms: 100,
  cooldown_ms: null,
  params: { "example:symbol": "ABC", note: "rebalance" },
};

/** The schema as one writes it in zod alone, with `json` for what `params` and `metadata` may hold. */
function plainSchema(json: z.ZodType<unknown>) {
  const object = z.record(z.string(), json).nullish();
  const list = z
    .array(z.string())
    .nullish()
    .transform((items) => items ?? []);
  const durationMs = z.int().min(0).nullish();
  const action = z.enum(["HOLD", "ACT", "EXIT", "CANCEL", "STOP"]);
  const id = z.string().min(1).max(256).nullish();
  const item = z.looseObject({
    action,
    id,
    params: object,
    effect: z.enum(["once", "idempotent", "none"]).nullish(),
    idempotency_key: id,
  });
  const mismatch = z.looseObject({
    flags: list,
    reason_codes: list,
    throttle_refresh_ms: durationMs,
    metadata: object,
  });
  return z.looseObject({
    action,
    allowed: z.boolean().default(true),
    reasons: list,
    actions: z.array(item).nullish(),
    mismatch: mismatch.nullish(),
    throttle_ms: durationMs,
    cooldown_ms: durationMs,
    params: object,
  });
}

function nanosecondsPerParse(schema: z.ZodType<unknown>): number {
  const start = process.hrtime.bigint();
  for (let i = 0; i < PARSES_PER_ROUND; i++) schema.parse(decision);
  return Number(process.hrtime.bigint() - start) / PARSES_PER_ROUND;
}

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;
}

const contenders = [
  { name: "zod, params as z.json()", schema: plainSchema(z.json()), times: [] as number[] },
  { name: "zod, params not looked into", schema: plainSchema(z.unknown()), times: [] as number[] },
  { name: "FinalDecisionSchema", schema: FinalDecisionSchema, times: [] as number[] },
];
for (const { schema } of contenders) nanosecondsPerParse(schema);
for (let round = 0; round < ROUNDS; round++) {
  for (let turn = 0; turn < contenders.length; turn++) {
    const { schema, times } = contenders[(round + turn) % contenders.length]!;
    times.push(nanosecondsPerParse(schema));
  }
}

const ours = contenders.at(-1)!;
for (const { name, times } of contenders) {
  const ratio = median(ours.times.map((time, round) => time / times[round]!));
  console.log(`${name.padEnd(30)} ${median(times).toFixed(0).padStart(6)} ns   ours / this: ${ratio.toFixed(2)}`);
}
