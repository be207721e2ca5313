import { readFile, writeFile } from "node:fs/promises";
import { pictureOf } from "./picture/picture-of.js";

const file = new URL("../picture.svg", import.meta.url);
await writeFile(
  file,
  await pictureOf(await readFile(new URL("../decisions/03-dropped-reply.json", import.meta.url), "utf8")),
);
