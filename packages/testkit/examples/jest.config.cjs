module.exports = { testMatch: ["<rootDir>/jest.test.mjs"], testEnvironment: "node", transform: {} };
