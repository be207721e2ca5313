import { describe, expect, it } from "vitest";
import { guardLookup, type LookupAddress, type LookupFn } from "../src/index.js";

const knows =
  (addresses: readonly string[] | Error): LookupFn =>
  (_hostname, options, callback) => {
    expect(options).toMatchObject({ all: true, family: 0 });
    if (addresses instanceof Error) return callback(addresses, "");
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
    );
  };

function look(addresses: readonly string[] | Error, all: boolean) {
  return new Promise<[Error | null, string | LookupAddress[], number?]>((resolve) => {
    const lookup = guardLookup(knows(addresses));
    lookup("api.example.com", { all, family: 0 }, (error, found, family) =>
      resolve(family === undefined ? [error, found] : [error, found, family]),
    );
  });
}

describe("guardLookup", () => {
  it("hands on public addresses, all or the first of them, as it was asked", async () => {
    expect(await look(["8.8.8.8", "2606:4700::1"], true)).toEqual([
      null,
      [
        { address: "8.8.8.8", family: 4 },
        { address: "2606:4700::1", family: 6 },
      ],
    ]);
    expect(await look(["2606:4700::1", "8.8.8.8"], false)).toEqual([null, "2606:4700::1", 6]);
  });

  it("refuses a name as soon as one of its addresses is private, and names neither", async () => {
    for (const addresses of [
      ["127.0.0.1"],
      ["8.8.8.8", "10.0.0.1"],
      ["8.8.8.8", "::ffff:a9fe:a9fe"],
      ["fe80::1%eth0"],
    ]) {
      const [error, found] = await look(addresses, true);
      expect([error, found]).toEqual([expect.objectContaining({ code: "EOC_ADDRESS_REFUSED" }), ""]);
      expect(error!.message).toBe("the name leads to a private address");
    }
  });

  it("checks the address of a lookup that gives one, whatever it is asked for", async () => {
    const stubborn =
      (address: string): LookupFn =>
      (_hostname, _options, callback) =>
        callback(null, address, 4);
    const all = (lookup: LookupFn) =>
      new Promise((resolve) => {
        guardLookup(lookup)("api.example.com", { all: true }, (error, found) => resolve(error ?? found));
      });
    expect(await all(stubborn("8.8.8.8"))).toEqual([{ address: "8.8.8.8", family: 4 }]);
    expect(await all(stubborn("10.0.0.1"))).toMatchObject({ code: "EOC_ADDRESS_REFUSED" });
  });

  it("hands on what went wrong", async () => {
    const error = Object.assign(new Error("no such name"), { code: "ENOTFOUND" });
    expect(await look(error, true)).toEqual([error, ""]);
  });
});
