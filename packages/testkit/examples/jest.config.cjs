module.exports = { testMatch: ["<rootDir>/jest.test.{mjs,cjs}"], testEnvironment: "node", transform: {} };
