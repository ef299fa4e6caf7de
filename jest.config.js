/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'es6' } }],
  },
  globalSetup: './test/support/jest/set-up.ts',
  globalTeardown: './test/support/jest/tear-down.ts',
  testSequencer: './test/support/jest/longest-first.cjs',
  maxWorkers: 2,
  testTimeout: 30_000,
};
