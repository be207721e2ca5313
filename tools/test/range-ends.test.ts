import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { endOf, rangesOf, untried } from "../range-ends.js";

const manifest = (name: string, rest: object) => ({ manifest: { name, version: "0.1.0", exports: {}, ...rest } });
const engines = { node: ">=20" };
const store = manifest("@eoc/store-x", { engines, peerDependencies: { "@eoc/core": "<1", "@x/client": ">=2" } });

describe("the trials of ranges", () => {
  it("are one for each peer that is not of this repository, and one for Node where there is no peer", () => {
    const ranges = rangesOf([store, manifest("@eoc/core", { engines })]);
    expect(ranges).toEqual([
      { package: "store-x", node: ">=20", peers: { "@x/client": ">=2" } },
      { package: "core", node: ">=20", peers: {} },
    ]);
    expect(untried(ranges, ["store-x/client", "core/node"])).toEqual([]);
  });

  it("may not be missing, nor try what nobody declares, and every package says which Node it needs", () => {
    expect(untried(rangesOf([store]), ["store-x/other"])).toEqual([
      "tools/range-trials/store-x/client.ts is missing",
      "tools/range-trials/store-x/other.ts tries no peer",
    ]);
    expect(untried(rangesOf([manifest("@eoc/core", {})]), ["core/node"])).toEqual([
      "core does not say which Node it needs",
    ]);
  });

  it("take the ends by number, in whatever order the registry lists the versions", () => {
    const versions = ["8.11.1", "8.9.0", "10.0.0", "8.11.0"];
    expect([endOf(versions, "lowest"), endOf(versions, "newest")]).toEqual(["8.9.0", "10.0.0"]);
    expect(() => endOf([], "lowest")).toThrow("no version");
  });

  it("write for the types of vitest 3 and 4 what the README of testkit says", () => {
    const read = (file: string) => readFileSync(join(import.meta.dirname, "../..", file), "utf8");
    const trial = read("tools/range-trials/testkit/matcher-types.lowest.ts").replaceAll(/^ *\/\/.*\n/gm, "");
    const [declared] = /^declare module "vitest" \{[\s\S]*?^\}/m.exec(trial) ?? [];
    expect(declared).toBeDefined();
    expect(read("packages/testkit/README.md")).toContain(declared);
  });
});
