import { defineConfig } from 'vitest/config'

/** Anything that needs PostgreSQL: `*.db.test.ts`, `*.e2e.test.ts`, and what crosses modules in server/test. */
const withDatabase = ['**/*.db.test.ts', '**/*.e2e.test.ts', 'server/test/{api,journeys,simulation}/**/*.test.ts']

export default defineConfig({
  test: {
    // Two cores everywhere this runs: more workers only make every timeout a lie.
    maxWorkers: 2,
    reporters: process.env.CI ? ['dot'] : ['default'],
    projects: [
      {
        extends: true,
        test: {
          name: 'pure',
          include: ['{cli,server,notation,rails-simulator,bench,tools}/**/*.test.ts'],
          exclude: ['**/node_modules/**', ...withDatabase],
          testTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'database',
          include: withDatabase,
          exclude: ['**/node_modules/**'],
          globalSetup: ['server/test/support/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
