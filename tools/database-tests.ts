/** Anything that needs PostgreSQL: by its name, and what crosses modules in server/test. */
export const DATABASE_TESTS = ['**/*.db.test.ts', '**/*.e2e.test.ts', 'server/test/{api,journeys,simulation}/**/*.test.ts']
