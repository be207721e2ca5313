import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, expectTypeOf, it } from "vitest";
import * as api from "../src/index.ts";
import * as read from "../src/read.ts";

describe("@eoc/decision-schema", () => {
  it("exports these names", () => {
    expect(Object.keys(api).sort()).toEqual([
      "ActionItemSchema",
      "ActionSchema",
      "CONTEXT_KEY_REGISTRY",
      "EXTERNAL_KEY_REGISTRY",
      "EffectSchema",
      "ExecutionContextSchema",
      "FinalDecisionSchema",
      "MAX_JSON_DEPTH",
      "MismatchInfoSchema",
      "PacketV2Schema",
      "ProposalSchema",
      "RESERVED_NAMESPACES",
      "SCHEMA_VERSION",
      "SchemaError",
      "canonicalJson",
      "checkJson",
      "clampConfidence",
      "createFinalDecision",
      "createMismatchInfo",
      "createProposal",
      "digestDecision",
      "ensureNonEmptyReasons",
      "finalDecisionToDict",
      "isCompatible",
      "isSchemaError",
      "isValidContextKey",
      "isValidExternalKey",
      "isValidTraceKey",
      "isVolatileContextKey",
      "mismatchInfoToDict",
      "packetFromDict",
      "packetToDict",
      "parseVersion",
      "proposalToDict",
      "readContext",
      "readDecision",
      "sha256Hex",
      "toIssues",
      "toParams",
      "validateExternal",
    ]);
  });

  it("exports what does without zod from an entry of its own, the same", () => {
    expect(Object.keys(read).sort()).toEqual([
      "MAX_JSON_DEPTH",
      "SchemaError",
      "canonicalJson",
      "checkJson",
      "digestDecision",
      "isSchemaError",
      "isVolatileContextKey",
      "readContext",
      "readDecision",
      "sha256Hex",
    ]);
    expect({ ...api }).toMatchObject({ ...read });
  });

  it("has types that say what the schemas say", () => {
    expectTypeOf<api.FinalDecision["allowed"]>().toEqualTypeOf<boolean>();
    expectTypeOf<api.FinalDecisionInput["allowed"]>().toEqualTypeOf<boolean | undefined>();
    expectTypeOf<api.FinalDecision["reasons"]>().toEqualTypeOf<string[]>();
    expectTypeOf<api.FinalDecision["params"]>().toEqualTypeOf<Record<string, unknown> | null | undefined>();
    expectTypeOf<api.FinalDecision["anything"]>().toEqualTypeOf<unknown>();
    expectTypeOf<api.ActionItem["effect"]>().toEqualTypeOf<"once" | "idempotent" | "none" | null | undefined>();
    expectTypeOf<api.PacketV2["schema_version"]>().toEqualTypeOf<string>();
    expectTypeOf<{ action: "ACT" }>().toExtend<api.FinalDecisionInput>();
    expectTypeOf<api.FinalDecision>().toExtend<api.FinalDecisionInput>();
    expectTypeOf<{ now_ms: number; run_id: string }>().toExtend<api.ExecutionContext>();
  });

  it("has no `any` in its declarations", { timeout: 60_000 }, () => {
    const declarations = declarationsOf(fileURLToPath(new URL("../src/index.ts", import.meta.url)));
    expect(declarations.length).toBeGreaterThan(10);
    expect(declarations.flatMap(({ name, text }) => anysIn(name, text))).toEqual([]);
  });
});

function declarationsOf(entry: string): { name: string; text: string }[] {
  const program = ts.createProgram([entry], {
    target: ts.ScriptTarget.ES2022,
    lib: ["lib.es2023.d.ts"],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    allowImportingTsExtensions: true,
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
    types: [],
    declaration: true,
    emitDeclarationOnly: true,
  });
  const declarations: { name: string; text: string }[] = [];
  program.emit(undefined, (name, text) => declarations.push({ name, text }));
  return declarations;
}

function anysIn(name: string, text: string): string[] {
  const file = ts.createSourceFile(name, text, ts.ScriptTarget.ES2022, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (node.kind === ts.SyntaxKind.AnyKeyword) found.push(`${name}: ${node.parent.getText()}`);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}
