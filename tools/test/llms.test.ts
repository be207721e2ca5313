import { expect, it } from "vitest";
import { firstSentenceOf } from "../llms.js";

it.each([
  ["# A\n\nOne sentence. Another.\n", "One sentence."],
  ["# A\n\n<!-- written by x -->\n\nA [link](b.md) and **bold**.\n", "A link and bold."],
  ["# A\n\n| a | b |\n| - | - |\n\nAfter the table: More.\n", "After the table."],
  ["# A\n\n```sh\nnpm x\n```\n\nAfter the code.\n", "After the code."],
])("the first sentence of %j", (text, sentence) => {
  expect(firstSentenceOf(text)).toBe(sentence);
});
