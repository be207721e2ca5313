export default {
  root: import.meta.dirname,
  cacheDir: "../node_modules/.vite",
  test: { include: ["vitest.test.mjs"] },
};
