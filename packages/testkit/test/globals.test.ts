import { expect, it } from "vitest";

/** Every own property of every global object that a fake clock could be tempted to patch. */
function snapshot(): Map<string, unknown> {
  const found = new Map<string, unknown>();
  const owners: [string, object][] = [
    ["globalThis", globalThis],
    ["process", process],
    ["performance", performance],
    ["Performance", Performance.prototype],
    ["Date", Date],
    ["Math", Math],
    ["Promise", Promise],
    ["Promise.prototype", Promise.prototype],
    ["AbortSignal", AbortSignal],
    ["AbortSignal.prototype", AbortSignal.prototype],
    ["EventTarget.prototype", EventTarget.prototype],
    ["crypto", Object.getPrototypeOf(crypto)],
  ];
  for (const [name, owner] of owners) {
    for (const key of Reflect.ownKeys(owner)) {
      const { value, get, set, ...flags } = Object.getOwnPropertyDescriptor(owner, key)!;
      found.set(`${name}.${String(key)}`, [value, get, set, JSON.stringify(flags)]);
    }
  }
  return found;
}

it("importing the testkit, running a clock and waiting for real work patch no global", async () => {
  // Looking at some of Node's globals loads them, which adds others: the first look does not count.
  snapshot();
  const before = snapshot();
  const { createVirtualClock } = await import("@eoc/testkit");
  const afterImport = snapshot();
  const clock = createVirtualClock();
  let during = new Map<string, unknown>();
  await clock.run(async () => {
    during = snapshot();
    await new Promise((resolve) => setTimeout(resolve, 2));
    await clock.sleep(1000);
  });
  for (const now of [afterImport, during, snapshot()]) {
    expect([...now.keys()]).toEqual([...before.keys()]);
    for (const [key, descriptor] of now) expect(descriptor, key).toEqual(before.get(key));
  }
});
