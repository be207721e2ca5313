import type { Work } from "../contest.ts";
import { bulkheads } from "./bulkhead.ts";
import { cancel } from "./cancel.ts";
import { failures } from "./failures.ts";
import { happyPaths } from "./happy.ts";
import { idempotency } from "./idempotency.ts";
import { imports } from "./import.ts";
import { limiters } from "./limiter.ts";
import { planSizes } from "./plans.ts";
import { ports } from "./ports.ts";
import { redactions } from "./redaction.ts";
import { validation } from "./validation.ts";
import { virtualClock } from "./virtual-clock.ts";

/** Every work, in the order in which they are shown. */
export const WORKS: readonly Work[] = [
  ...happyPaths,
  ...failures,
  ...bulkheads,
  cancel,
  ...idempotency,
  ...limiters,
  ...redactions,
  planSizes,
  validation,
  ports,
  imports,
  virtualClock,
];

/** @throws when there is no such work */
export function workNamed(name: string): Work {
  const work = WORKS.find((candidate) => candidate.name === name);
  if (work === undefined)
    throw new Error(`no work named ${name}; there are ${WORKS.map((each) => each.name).join(", ")}`);
  return work;
}
