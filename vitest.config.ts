/** How the tests run: one server for all (test/support/global.ts), files side by side, each in a process of its own. */
import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/support/order.js'

// What the person's shell tells libpq must not reach a test.
for (const name of Object.keys(process.env)) if (/^PG[A-Z]/.test(name)) delete process.env[name]

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global.ts'],
    reporters: ['default', './test/support/skipped.ts'],
    sequence: { sequencer: LongestFirst },
    pool: 'forks',
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 120_000
  }
})
