import { describe, expect, it } from "vitest";
import { createKeyMemory } from "../../src/redaction/known-keys.js";

function createMemory() {
  const judged: string[] = [];
  const memory = createKeyMemory(
    "*",
    (key) => {
      judged.push(key);
      return { scope: key === "pwd" ? "data" : "none", rule: key };
    },
    (text) => text.replace("hunter2", "*"),
  );
  judged.length = 0;
  return { memory, judged };
}

describe("the memory for keys", () => {
  it("judges a key once, whether it is looked up or follows another", () => {
    const { memory, judged } = createMemory();
    const first = memory.know("a");
    const second = memory.knowNext(first, "b");

    expect(memory.know("a")).toBe(first);
    expect(memory.knowNext(first, "b")).toBe(second);
    expect(memory.knowNext(second, "a")).toBe(first);
    expect(judged).toEqual(["a", "b"]);
  });

  it("holds on to no key that is long or holds a secret", () => {
    const { memory } = createMemory();

    for (const key of ["hunter2", "k".repeat(200)]) {
      expect(memory.know(key)).not.toBe(memory.know(key));
      memory.knowNext(memory.head, key);
      expect(memory.head.next).toBe(undefined);
    }
  });

  it("forgets everything when it is full", () => {
    const { memory, judged } = createMemory();
    memory.knowNext(memory.head, "first");
    for (let index = 0; index < 2048; index++) memory.know(`key_${index}`);
    judged.length = 0;

    expect(memory.head.next).toBe(undefined);
    memory.know("first");
    memory.know("key_2047");
    expect(judged).toEqual(["first"]);
  });

  it("judges names in text anew, unless they are remembered as keys", () => {
    const { memory, judged } = createMemory();

    expect([memory.isSecretName("pwd"), memory.isSecretName("pwd"), memory.isSecretName("a")]).toEqual([
      true,
      true,
      false,
    ]);
    memory.know("pwd");
    expect(memory.isSecretName("pwd")).toBe(true);
    expect(judged).toEqual(["pwd", "pwd", "a", "pwd"]);
  });
});
