import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { VirtualClock } from "@eoc/testkit";
import { afterEach, vi } from "vitest";
import type { LocalRuntime, LocalRuntimeOptions } from "../src/index.js";
import { openLocalRuntime, type ThreadHooks } from "../src/local-runtime.js";

// Threads start and disks write at their own pace.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const folders: string[] = [];
const open: LocalRuntime[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((runtime) => runtime.close()));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A folder for one test. */
export function aFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "eoc-sqlite-"));
  folders.push(folder);
  return folder;
}

/** Where a file may be. */
export const aFile = () => join(aFolder(), "eoc.db");

/** Opens a runtime that the test's end closes. */
export async function opened(
  file: string,
  options: LocalRuntimeOptions = {},
  hooks: ThreadHooks = {},
): Promise<LocalRuntime> {
  const runtime = await openLocalRuntime(file, options, hooks);
  open.push(runtime);
  return runtime;
}

/** The machine's clocks in the hands of a test: they stand still until they are moved. */
export interface HandTime {
  readonly time: SharedArrayBuffer;
  /** Moves both clocks. */
  advance(ms: number): void;
  stepWall(ms: number): void;
  /** Puts the monotonic clock where a machine that was started again has it. */
  setMonotonic(ms: number): void;
}

export function handTime(wallMs = 1_700_000_000_000, monotonicMs = 5_000): HandTime {
  const time = new SharedArrayBuffer(16);
  const times = new Float64Array(time);
  times.set([wallMs, monotonicMs]);
  return {
    time,
    advance(ms) {
      times[0]! += ms;
      times[1]! += ms;
    },
    stepWall(ms) {
      times[0]! += ms;
    },
    setMonotonic(ms) {
      times[1] = ms;
    },
  };
}

/** The same port, with the clock told of every answer that is awaited: Node does not show what a thread is doing. */
export function heldBy<Port extends object>(clock: VirtualClock, port: Port): Port {
  return new Proxy(port, {
    get(target, name, receiver) {
      const member: unknown = Reflect.get(target, name, receiver);
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        const answer: unknown = member.apply(target, args);
        return answer instanceof Promise ? held(clock, String(name), answer) : answer;
      };
    },
  });
}

/**
 * The same promise, for which time stands still; until it settles the clock sees that somebody lives, so that it bears with a
 * busy machine.
 */
export async function held<T>(clock: VirtualClock, name: string, promise: Promise<T>): Promise<T> {
  const signs = setInterval(() => clock.setTimer(() => {}, 0)(), 100);
  try {
    return await clock.hold(name, promise);
  } finally {
    clearInterval(signs);
  }
}

/** Resolves when `holds`, looking again and again. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 2));
}
