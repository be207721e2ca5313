import { createMemoryIdempotencyStore, createMemoryRateLimiter } from "@eoc/core";
import { createVirtualClock, idempotencyStoreContract, isDeadlockError, rateLimiterContract } from "@eoc/testkit";
import { describe, expect, it } from "vitest";

const named = (name: string, contract: ReturnType<typeof idempotencyStoreContract>) =>
  contract.find((each) => each.name === name)!;

describe("a contract", () => {
  it("moves the time of an implementation that has its own", async () => {
    const contract = idempotencyStoreContract(
      () => {
        const own = createVirtualClock({ startMs: 0 });
        return { store: createMemoryIdempotencyStore({ clock: own }), advance: (ms) => own.advance(ms) };
      },
      { shared: false },
    );
    for (const { run } of contract) await run();
  });

  it("closes what it has opened, whether the case passes or fails", async () => {
    let open = 0;
    const contractOf = (limit: number) =>
      rateLimiterContract(() => {
        open++;
        const inner = createMemoryRateLimiter();
        return {
          rateLimiter: {
            acquire: (requests, nowMs) =>
              inner.acquire(
                requests.map((each) => ({ ...each, limit })),
                nowMs,
              ),
          },
          close: async () => {
            open--;
          },
        };
      });
    const name = "S6.1 grants as many as the limit says, and then refuses";
    await named(name, contractOf(3)).run();
    expect(open).toBe(0);
    await expect(named(name, contractOf(1)).run()).rejects.toThrow("start 1 of 3: a permit must be granted");
    expect(open).toBe(0);
  });

  it("fails within a second of real time when an implementation hangs, and says where", async () => {
    const contract = idempotencyStoreContract(({ clock }) => {
      const store = createMemoryIdempotencyStore({ clock });
      return { store: { ...store, claim: () => clock.waitFor("the store's claim", new Promise(() => {})) } };
    });
    const error = await contract[0]!.run().catch((reason: unknown) => reason);
    expect(isDeadlockError(error)).toBe(true);
    expect(String(error)).toContain("the store's claim");
  });

  it("has a case for what is not declared, in place of every case that is left out", () => {
    const open = () => ({ rateLimiter: createMemoryRateLimiter() });
    const all = rateLimiterContract(open).map(({ name }) => name);
    const least = rateLimiterContract(open, { stamps: false, cancel: false, shared: false }).map(({ name }) => name);
    expect(least.filter((name) => !all.includes(name))).toEqual([
      "S6.1 (no `stamps`) a permit counts from its grant for one whole window",
      "S6.3 (no `cancel`) a permit that is not used counts all the same",
      "S6.1 (no own clock) windows go by the time that the caller names",
      "S6.4 (not `shared`) a limiter that is opened anew has counted nothing",
    ]);
  });

  it("does not take a capability's word for it", async () => {
    const claims = idempotencyStoreContract(({ clock }) => ({ store: createMemoryIdempotencyStore({ clock }) }), {
      list: false,
    });
    await expect(named("S7.4 (no `list`) the store does not pretend to have one", claims).run()).rejects.toThrow(
      "declare `list: true`",
    );
  });
});
