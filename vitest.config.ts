import { defineConfig } from 'vitest/config'
import { DATABASE_TESTS } from './tools/database-tests.ts'

export default defineConfig({
  test: {
    // Two cores everywhere this runs: more workers only make every timeout a lie.
    maxWorkers: 2,
    setupFiles: ['server/test/support/strict-events.ts'],
    reporters: process.env.CI ? ['dot'] : ['default'],
    projects: [
      {
        extends: true,
        test: {
          name: 'pure',
          include: ['{cli,server,notation,rails-simulator,bench,tools}/**/*.test.ts'],
          exclude: ['**/node_modules/**', ...DATABASE_TESTS],
          testTimeout: 30_000,
          // Files share what they import: a third of their processor time was importing it anew. What a test changes, it changes back.
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'database',
          include: DATABASE_TESTS,
          exclude: ['**/node_modules/**'],
          globalSetup: ['server/test/support/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
