import { describe, expect, it } from "vitest";
import { tooWide } from "../node-ranges.js";

const own = { version: "0.1.0", engines: { node: ">=20" }, dependencies: { hashes: "^2.0.0" } };
const hashes = (node: string) => ({ version: "2.4.0", engines: { node } });

describe("the range of Node that a package takes", () => {
  it("lies within that of what it needs", () => {
    expect(tooWide({ "node_modules/@eoc/core": own, "node_modules/hashes": hashes(">=18") })).toEqual([]);
    expect(tooWide({ "node_modules/@eoc/core": own, "node_modules/hashes": hashes(">=20.19.0") })).toEqual([
      "node_modules/@eoc/core takes Node >=20, and node_modules/hashes takes >=20.19.0 only",
    ]);
  });

  it("looks at what its dependencies need, in the version that they have, and at no optional peer", () => {
    const peers = { version: "0.1.0", engines: { node: ">=20" }, peerDependencies: { "@eoc/core": "*", client: "*" } };
    expect(
      tooWide({
        "node_modules/@eoc/store": { ...peers, peerDependenciesMeta: { client: { optional: true } } },
        "node_modules/@eoc/core": { ...own, engines: { node: ">=24" } },
        "node_modules/hashes": { version: "1.0.0", engines: { node: ">=26" } },
        "node_modules/@eoc/core/node_modules/hashes": hashes(">=22"),
        "node_modules/client": { version: "1.0.0", engines: { node: ">=30" } },
      }),
    ).toEqual([
      "node_modules/@eoc/store takes Node >=20, and node_modules/@eoc/core takes >=24 only",
      "node_modules/@eoc/store takes Node >=20, and node_modules/@eoc/core/node_modules/hashes takes >=22 only",
    ]);
  });
});
