import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/**
 * The tests of core that judge a mutant: those of the policy, of single steps and of whole executions. The exhaustive explorations
 * stay out: they run through nearly every line, and so would be run for nearly every mutant.
 */
export default defineConfig({
  root: at("."),
  resolve: {
    alias: [
      { find: /^@eoc\/core\/machine$/, replacement: at("packages/core/src/machine/index.ts") },
      { find: /^@eoc\/decision-schema\/read$/, replacement: at("packages/decision-schema/src/read.ts") },
      { find: /^@eoc\/([a-z-]+)$/, replacement: `${at("packages")}/$1/src/index.ts` },
    ],
  },
  test: {
    include: ["packages/core/test/{execute,machine,policy}/**/*.test.ts"],
    exclude: ["packages/core/test/machine/{one-action,two-actions,misfits,totality}.test.ts"],
  },
});
