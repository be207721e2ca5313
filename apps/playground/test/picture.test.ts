import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { pictureOf } from "../src/picture/picture-of.js";

it("the picture that the README opens with is of what the page shows today (pnpm picture makes it anew)", async () => {
  const scenario = await readFile(new URL("../decisions/03-dropped-reply.json", import.meta.url), "utf8");
  const picture = await pictureOf(scenario);
  expect(await readFile(new URL("../picture.svg", import.meta.url), "utf8")).toBe(picture);
  expect(picture).toContain(
    "Naive retry: 2 in the world’s ledger, says success. EOC: 1 in the world’s ledger, says unknown.",
  );
  expect(await readFile(new URL("../../../README.md", import.meta.url), "utf8")).toContain(
    "(apps/playground/picture.svg)",
  );
});
