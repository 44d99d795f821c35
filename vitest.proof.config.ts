import { defineConfig } from 'vitest/config'

/** Proofs that take too long for `npm test`: `npm run proof`. One at a time, since each wants the machine. */
export default defineConfig({
  test: {
    maxWorkers: 1,
    setupFiles: ['server/test/support/strict-events.ts'],
    include: ['**/*.proof.ts'],
    exclude: ['**/node_modules/**'],
    globalSetup: ['server/test/support/global-setup.ts'],
    testTimeout: 3_600_000,
    hookTimeout: 120_000,
  },
})
