import { expect, it } from "vitest";
import * as store from "../src/index.js";

it("the public names of @eoc/store-sqlite are these", () => {
  expect(Object.keys(store).sort()).toEqual([
    "STORE_ERROR_CODES",
    "StoreError",
    "createLocalRuntime",
    "isStoreError",
    "openSqliteJournals",
  ]);
});
