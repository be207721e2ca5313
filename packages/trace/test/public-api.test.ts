import { describe, expect, it } from "vitest";
import * as trace from "../src/index.js";
import * as node from "../src/node.js";

describe("the public names", () => {
  it("of @eoc/trace are these", () => {
    expect(Object.keys(trace).sort()).toEqual([
      "addExecutionTrace",
      "buildPacket",
      "buildPacketWithManifest",
      "createJsonlJournal",
      "explainReport",
      "openIntents",
      "parseCheckpoint",
      "renderTimeline",
      "reportToDict",
      "verifyJournal",
    ]);
  });

  it("of @eoc/trace/node are these", () => {
    expect(Object.keys(node).sort()).toEqual([
      "createCheckpointFile",
      "createEd25519Signer",
      "createEd25519Verifier",
      "createFileSink",
      "journalFiles",
      "readCheckpointFile",
      "readJournal",
      "readJournalFile",
    ]);
  });
});
