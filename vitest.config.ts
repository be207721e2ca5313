import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// Tests see the sources, so that coverage counts and no build is stale. What ships is tested by the smoke and pack tests.
const sources = [
  { find: /^@eoc\/core\/machine$/, replacement: at("packages/core/src/machine/index.ts") },
  { find: /^@eoc\/decision-schema\/read$/, replacement: at("packages/decision-schema/src/read.ts") },
  { find: /^@eoc\/trace\/node$/, replacement: at("packages/trace/src/node.ts") },
  { find: /^@eoc\/testkit\/(fast-check|jest|matchers|vitest)$/, replacement: `${at("packages")}/testkit/src/$1.ts` },
  { find: /^@eoc\/([a-z-]+)$/, replacement: `${at("packages")}/$1/src/index.ts` },
];

const projects = [
  ...["packages", "apps"].flatMap((group) =>
    readdirSync(at(group)).map((name) => ({ name, root: at(`${group}/${name}`) })),
  ),
  { name: "bench", root: at("bench") },
];

export default defineConfig({
  resolve: { alias: sources },
  test: {
    reporters: ["default", at("tools/plain-summary-reporter.ts"), at("tools/guarantees/reporter.ts")],
    // `pnpm coverage`: of core's pure parts, nothing less than every branch.
    coverage: {
      include: ["src/machine/**", "src/policy/**", "src/redaction/**"],
      reporter: [["text", { skipFull: true }]],
      thresholds: { branches: 100 },
    },
    projects: [
      { extends: true as const, test: { name: "docs", include: ["tools/test/**/*.test.ts"] } },
      ...projects.map(({ name, root }) => ({
        extends: true as const,
        root,
        test: {
          name,
          include: ["test/**/*.test.ts"],
          // Packages that need a server start it themselves.
          globalSetup: existsSync(`${root}/test/global-setup.ts`) ? [`${root}/test/global-setup.ts`] : [],
        },
      })),
    ],
  },
});
