import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

/** One `it`, or one case of a contract, as its file spells it. */
export interface NamedTest {
  /** From the root of the repository. */
  readonly file: string;
  /** The `describe`s around it and its own name, joined by ` > `; what a template fills in is `…`. */
  readonly name: string;
  readonly line: number;
  /** Why it may not run: `skip`, `todo`, `fails`, `only` or a condition. */
  readonly modifier?: string;
}

const root = join(import.meta.dirname, "..");
const TESTS = new Set(["it", "test"]);
const SUITES = new Set(["describe", "suite"]);
const HARMLESS = new Set(["each", "for", "concurrent", "sequential"]);

/** Every test of the workspace, read from the sources: nothing is run, so that a check can afford it. */
export function namedTests(): NamedTest[] {
  const files = ["packages", "apps"].flatMap((group) =>
    readdirSync(join(root, group), { recursive: true })
      .map((file) => `${group}/${file}`)
      .filter((file) => !/node_modules|\/dist\//.test(file))
      .filter((file) => /\/test\/.*\.ts$/.test(file) || /testkit\/src\/contracts\/.*\.ts$/.test(file)),
  );
  return files.sort().flatMap((file) => testsOf(file, readFileSync(join(root, file), "utf8")));
}

/** The tests of one file. */
export function testsOf(file: string, text: string): NamedTest[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: NamedTest[] = [];
  const lineOf = (node: ts.Node) => source.getLineAndCharacterOfPosition(node.getStart()).line + 1;

  const visit = (node: ts.Node, path: readonly string[], inherited: string | undefined): void => {
    if (ts.isCallExpression(node)) {
      const { base, modifiers } = calleeOf(node.expression);
      const title = titleOf(node.arguments[0]);
      const modifier = modifiers.find((each) => !HARMLESS.has(each)) ?? inherited;
      if (TESTS.has(base) && title !== undefined) {
        found.push({ file, name: [...path, title].join(" > "), line: lineOf(node), ...(modifier && { modifier }) });
      }
      if (SUITES.has(base) && title !== undefined) {
        for (const argument of node.arguments.slice(1)) visit(argument, [...path, title], modifier);
        return;
      }
    }
    const contractCase = file.includes("/contracts/") ? caseNameOf(node) : undefined;
    if (contractCase !== undefined) found.push({ file, name: contractCase, line: lineOf(node) });
    ts.forEachChild(node, (child) => visit(child, path, inherited));
  };
  visit(source, [], undefined);
  return found;
}

function calleeOf(expression: ts.Expression): { base: string; modifiers: string[] } {
  if (ts.isIdentifier(expression)) return { base: expression.text, modifiers: [] };
  if (ts.isPropertyAccessExpression(expression)) {
    const { base, modifiers } = calleeOf(expression.expression);
    return { base, modifiers: [...modifiers, expression.name.text] };
  }
  if (ts.isCallExpression(expression)) return calleeOf(expression.expression);
  if (ts.isTaggedTemplateExpression(expression)) return calleeOf(expression.tag);
  return { base: "", modifiers: [] };
}

function titleOf(node: ts.Node | undefined): string | undefined {
  if (node === undefined) return undefined;
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return undefined;
  return node.head.text + node.templateSpans.map((span) => `…${span.literal.text}`).join("");
}

/** A contract is an object of cases by their names. */
function caseNameOf(node: ts.Node): string | undefined {
  if (!ts.isPropertyAssignment(node) && !ts.isMethodDeclaration(node)) return undefined;
  if (!ts.isStringLiteral(node.name) && !ts.isNoSubstitutionTemplateLiteral(node.name)) return undefined;
  return /^S\d/.test(node.name.text) ? node.name.text : undefined;
}

if (process.argv[1] === import.meta.filename) {
  for (const { file, name, modifier } of namedTests())
    console.log(`${file} | ${name}${modifier ? ` [${modifier}]` : ""}`);
}
