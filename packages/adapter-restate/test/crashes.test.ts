import {
  createMemoryIdempotencyStore,
  type ExecutionEvent,
  type ExecutionPolicyInput,
  type ExecutionReport,
  type Executor,
  reportFromEvents,
} from "@eoc/core";
import { createVirtualClock, createWorld } from "@eoc/testkit";
import { describe, expect, it } from "vitest";
import { EFFECT_IN_DOUBT } from "../src/driver/executor-desk.js";
import type { FakeInvocation } from "./fake-engine.js";
import { runDurably, timeless } from "./support.js";

interface Story {
  readonly name: string;
  readonly policy?: ExecutionPolicyInput;
  /** How often action `a-1` is rejected before it is accepted. */
  readonly rejections?: number;
  readonly reconciles?: boolean;
  readonly effect?: "once" | "idempotent";
  readonly executorMs?: number;
}

const STORIES: readonly Story[] = [
  { name: "three actions" },
  { name: "three actions that take a while", executorMs: 40 },
  { name: "two retries with a backoff", rejections: 2, executorMs: 5 },
  { name: "a reconcile that can tell", reconciles: true, executorMs: 40 },
  { name: "idempotent actions", effect: "idempotent", executorMs: 40 },
  { name: "keys in a store", policy: { idempotency: { enabled: true } }, executorMs: 5 },
  { name: "three at once", policy: { maxConcurrency: 3, onFailure: "continue" }, executorMs: 40 },
  { name: "three at once with a reconcile", policy: { maxConcurrency: 3 }, reconciles: true, executorMs: 40 },
];

interface Hit {
  readonly by: "service" | "server";
  /** Which moment, counted over the whole invocation. */
  readonly at: number;
  /** The one after it as well: a crash during recovery. */
  readonly twice?: boolean;
}

interface Told {
  readonly report: ExecutionReport;
  readonly journal: readonly ExecutionEvent[];
  /** Calls of the executor, as `action/attempt`. */
  readonly begun: readonly string[];
  readonly effects: (id: string) => number;
  readonly hits: number;
  readonly invocation: FakeInvocation;
}

async function tell(story: Story, hit?: Hit): Promise<Told> {
  const clock = createVirtualClock();
  const world = createWorld();
  const begun: string[] = [];
  const journal: ExecutionEvent[] = [];
  let life = 0;
  let moments = 0;
  let hits = 0;
  const executor: Executor = {
    execute: async (action, { attempt }) => {
      const mine = life;
      begun.push(`${action.id}/${attempt}`);
      if (story.executorMs) await clock.sleep(story.executorMs);
      if (mine !== life) await new Promise(() => {}); // This process is gone.
      if (action.id === "a-1" && attempt < (story.rejections ?? 0)) return { ok: false, code: "not_yet" };
      world.apply(action.id);
      return { ok: true };
    },
    ...(story.reconciles && {
      reconcile: (action) => ({ state: world.has(action.id) ? "applied" : "not_applied" }),
    }),
  };
  const { report, invocation } = await clock.run(() =>
    runDurably({
      clock,
      decision: {
        action: "ACT",
        actions: [0, 1, 2].map((i) => ({ action: "ACT", id: `a-${i}`, effect: story.effect })),
      },
      policy: { timeout: { attemptTimeoutMs: 200 }, ...story.policy },
      executor,
      ports: {
        journal: { append: (event) => void journal.push(event) },
        ...(story.policy?.idempotency ? { idempotencyStore: createMemoryIdempotencyStore({ clock }) } : undefined),
      },
      hit: () => {
        const moment = moments++;
        if (hit === undefined || (moment !== hit.at && !(hit.twice && moment === hit.at + 1))) return undefined;
        hits++;
        return hit.by;
      },
      processDied: () => life++,
    }),
  );
  return { report, journal, begun, effects: (id) => world.count(id), hits, invocation };
}

const BASE = await Promise.all(STORIES.map((story) => tell(story)));

function check(story: Story, { report, journal, begun, effects }: Told): void {
  expect(report.actions).toHaveLength(3);
  expect(new Set(begun).size, "no attempt is begun twice").toBe(begun.length);
  for (const { id, status, errorType, attemptCount } of report.actions) {
    const calls = begun.filter((name) => name.startsWith(`${id}/`)).length;
    expect(calls).toBeLessThanOrEqual(attemptCount);
    if (story.effect !== "idempotent") expect(effects(id)).toBeLessThanOrEqual(1);
    if (status === "success") expect(effects(id)).toBeGreaterThanOrEqual(1);
    if (status === "unknown") expect(errorType).toBe(EFFECT_IN_DOUBT);
    if (status !== "success" && status !== "unknown") expect(effects(id)).toBe(0);
  }
  if (story.reconciles || story.effect === "idempotent") expect(report.status).toBe("success");
  // The journal's reader drops what he has seen: what is appended again after a crash is the same again.
  const bySeq = new Map<number, ExecutionEvent>();
  for (const event of journal) {
    const seen = bySeq.get(event.seq);
    if (seen === undefined) bySeq.set(event.seq, event);
    else expect(event).toEqual(seen);
  }
  const events = [...bySeq.values()].sort((a, b) => a.seq - b.seq);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i));
  expect(timeless([reportFromEvents(events) as never])).toEqual(timeless([report as never]));
}

STORIES.forEach((story, i) => {
  describe(story.name, () => {
    const moments = 3 * BASE[i]!.invocation.entries.filter(({ kind }) => kind === "step").length;

    for (const by of ["service", "server"] as const) {
      it(`ends in a true report, nothing begun twice, whenever the ${by} is killed`, async () => {
        for (let at = 0; at < moments; at++) {
          const told = await tell(story, { by, at });
          expect(told.hits).toBe(1);
          check(story, told);
          // A process that lives on knows what it has told.
          if (by === "server") expect(new Set(told.journal.map(({ seq }) => seq)).size).toBe(told.journal.length);
        }
      }, 60_000);

      it(`… and killed again while it recovers`, async () => {
        for (let at = 0; at < moments; at++) check(story, await tell(story, { by, at, twice: true }));
      }, 60_000);
    }
  });
});

describe("a killed server", () => {
  it("leaves nothing in doubt where the service lives on: what it has begun is joined", async () => {
    const story = STORIES[1]!;
    for (let at = 0; at < 24; at++) {
      const { report, begun } = await tell(story, { by: "server", at });
      expect(report.status).toBe("success");
      expect(begun).toHaveLength(3);
    }
  }, 60_000);
});
