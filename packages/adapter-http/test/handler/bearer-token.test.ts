import { isEocError } from "@eoc/core";
import { describe, expect, it } from "vitest";
import { equalBytes } from "../../src/handler/bearer-token.js";
import { bearerToken } from "../../src/index.js";

const [OLD, NEW] = ["old-token-0123456789", "new-token-0123456789=="];
const asked = (authorize: ReturnType<typeof bearerToken>, authorization?: string) =>
  authorize(new Request("http://service.test/", authorization === undefined ? {} : { headers: { authorization } }));

describe("bearerToken", () => {
  it("lets in whoever has one of the tokens, and nobody else", async () => {
    const authorize = bearerToken(OLD, NEW);
    const sent = [`Bearer ${OLD}`, `bearer ${NEW}`, `Bearer ${OLD} `];
    expect(await Promise.all(sent.map((each) => asked(authorize, each)))).toEqual([true, true, true]);
    const wrong = [
      undefined,
      "",
      OLD,
      `Basic ${OLD}`,
      `Bearer ${OLD.slice(0, -1)}`,
      `Bearer ${OLD}, ${NEW}`,
      `Bearer${OLD}`,
    ];
    expect(await Promise.all(wrong.map((each) => asked(authorize, each)))).not.toContain(true);
  });

  it("is not made of a token that protects nothing, and shows none", () => {
    const weak = [[], [""], ["s3cr3t"], [OLD, undefined], [`${OLD} `], ["=".repeat(16)], [`s3cr3t-${"é".repeat(16)}`]];
    for (const tokens of weak) {
      const refused = expect.toSatisfy((error) => isEocError(error) && error.code === "invalid_option");
      expect(() => bearerToken(...(tokens as string[]))).toThrow(refused);
      expect(() => bearerToken(...(tokens as string[]))).not.toThrow("s3cr3t");
    }
  });
});

describe("the comparison of tokens", () => {
  it("looks at every byte, wherever the first difference is", () => {
    const looks = (a: number[], b: number[]) => {
      let count = 0;
      const counting = new Proxy(new Uint8Array(a), {
        get(target, key) {
          if (typeof key === "string" && /^\d+$/.test(key)) count++;
          return Reflect.get(target, key, target) as unknown;
        },
      });
      return [equalBytes(counting, new Uint8Array(b)), count];
    };
    expect(looks([1, 2, 3], [1, 2, 3])).toEqual([true, 3]);
    expect(looks([1, 2, 3], [9, 2, 3])).toEqual([false, 3]);
    expect(looks([1, 2, 3], [1, 2, 9])).toEqual([false, 3]);
    expect(looks([1, 2, 3], [1, 2])).toEqual([false, 3]);
    expect(looks([1, 2], [1, 2, 3])).toEqual([false, 2]);
  });
});
