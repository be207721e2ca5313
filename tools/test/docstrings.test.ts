import { join } from "node:path";
import ts from "typescript";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");

/** What a package's users can import, from where. */
const ENTRIES: Readonly<Record<string, readonly string[]>> = {
  core: ["index", "machine/index"],
  "decision-schema": ["index", "read"],
  testkit: ["index", "fast-check", "matchers", "vitest", "jest"],
  "adapter-http": ["index"],
  "adapter-restate": ["index"],
  cli: ["index"],
  trace: ["index", "node"],
  "store-postgres": ["index"],
  "store-redis": ["index"],
  "store-sqlite": ["index"],
};

it("every export says in a docstring what it is", { timeout: 60_000 }, () => {
  const files = Object.entries(ENTRIES).flatMap(([name, entries]) =>
    entries.map((entry) => join(root, "packages", name, "src", `${entry}.ts`)),
  );
  const program = ts.createProgram(files, {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ESNext,
    allowImportingTsExtensions: true,
    noEmit: true,
    skipLibCheck: true,
    noCheck: true,
  });
  const checker = program.getTypeChecker();
  const exported = files.flatMap((file) => {
    const module = checker.getSymbolAtLocation(program.getSourceFile(file)!);
    return module === undefined ? [] : checker.getExportsOfModule(module);
  });
  const symbols = exported.map((each) => (each.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(each) : each));
  // What comes from another package is looked at there, in its sources.
  const own = symbols.filter(({ declarations = [] }) =>
    declarations.some((declaration) => files.some((file) => sourceFolderOf(file) === sourceFolderOf(declaration))),
  );
  expect(own.length).toBeGreaterThan(200);
  const silent = own.filter((symbol) => ts.displayPartsToString(symbol.getDocumentationComment(checker)) === "");
  expect([...new Set(silent.map(({ name }) => name))]).toEqual([]);
});

function sourceFolderOf(place: string | ts.Node): string {
  const file = typeof place === "string" ? place : place.getSourceFile().fileName;
  return /^(.*\/packages\/[^/]+\/src)\//.exec(file)?.[1] ?? "";
}
