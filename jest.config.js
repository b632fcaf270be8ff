const { compilerOptions } = require('./tsconfig.json');

/** @type {import('jest').Config} */
const shared = {
  testEnvironment: 'node',
  // A compiled file left beside a source must not be read in its place.
  moduleFileExtensions: ['ts', 'js', 'json'],
  transform: {
    '^.+\\.ts$': ['ts-jest', { tsconfig: { ...compilerOptions, isolatedModules: true }, diagnostics: false }],
  },
  modulePathIgnorePatterns: ['<rootDir>/cdk.out', '<rootDir>/dist', '<rootDir>/cli/dist'],
  // Every synth of a test leaves an assembly in the temporary folder: one folder for all, removed at the end.
  globalSetup: '<rootDir>/test/temporary-folder.js',
  globalTeardown: '<rootDir>/test/temporary-folder-removed.js',
};

module.exports = {
  projects: [
    {
      ...shared,
      displayName: 'unit',
      setupFiles: ['<rootDir>/test/validation-off.js'],
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: ['/test/deploy/', '/test/security/', '/test/tables/', '/test/upgrade-safety/'],
    },
    {
      ...shared,
      displayName: 'security',
      setupFiles: ['<rootDir>/test/validation-off.js'],
      testMatch: ['<rootDir>/test/security/**/*.test.ts'],
    },
    {
      ...shared,
      displayName: 'upgrade-safety',
      setupFiles: ['<rootDir>/test/validation-off.js'],
      testMatch: ['<rootDir>/test/upgrade-safety/**/*.test.ts'],
    },
    {
      ...shared,
      displayName: 'tables',
      setupFiles: ['<rootDir>/test/validation-off.js'],
      testMatch: ['<rootDir>/test/tables/*.test.ts'],
    },
    {
      ...shared,
      displayName: 'cli',
      testMatch: ['<rootDir>/cli/test/**/*.test.ts'],
      testPathIgnorePatterns: ['/test/deploy/', '/test/opensearch/'],
    },
    {
      ...shared,
      displayName: 'opensearch',
      testMatch: ['<rootDir>/cli/test/opensearch/**/*.test.ts'],
    },
    {
      ...shared,
      displayName: 'deploy',
      testMatch: ['<rootDir>/test/deploy/**/*.test.ts', '<rootDir>/cli/test/deploy/**/*.test.ts'],
    },
  ],
};
