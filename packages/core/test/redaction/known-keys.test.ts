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

  it("judges a short name in text once, and a long one, which might hold on to its text, anew", () => {
    const { memory, judged } = createMemory();
    const long = "a_name_that_is_long";

    expect(["pwd", "pwd", "a", "a", long, long].map((name) => memory.isSecretName(name))).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
    expect(judged).toEqual(["pwd", "a", long, long]);
    memory.know(long);
    memory.isSecretName(long);
    expect(judged.length).toBe(5);
  });

  it("remembers a bounded number of names in text", () => {
    const { memory, judged } = createMemory();
    for (let index = 0; index <= 2048; index++) memory.isSecretName(`n${index}`);
    judged.length = 0;

    memory.isSecretName("n2048");
    expect(judged).toEqual([]);
    memory.isSecretName("n0");
    expect(judged).toEqual(["n0"]);
  });

  it("knows the first key of an object by the key that it was found under", () => {
    const { memory, judged } = createMemory();
    const under = memory.know("items");
    const first = memory.knowFirst(under, "sku");

    expect(under.first).toBe(first);
    expect(memory.knowFirst(under, "sku")).toBe(first);
    expect(judged).toEqual(["items", "sku"]);
    memory.knowFirst(under, "hunter2");
    expect(under.first).toBe(first);
  });
});
