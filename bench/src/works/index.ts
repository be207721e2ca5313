import type { Work } from "../contest.ts";
import { bulkheads } from "./bulkhead.ts";
import { happy } from "./happy.ts";

/** Every work, in the order in which they are shown. */
export const WORKS: readonly Work[] = [happy, ...bulkheads];

/** @throws when there is no such work */
export function workNamed(name: string): Work {
  const work = WORKS.find((candidate) => candidate.name === name);
  if (work === undefined) throw new Error(`no work named ${name}; there are ${WORKS.map(({ name }) => name).join(", ")}`);
  return work;
}
