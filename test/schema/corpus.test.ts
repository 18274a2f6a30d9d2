/** Every case of test/schema/cases, by pg_dump. */
import { expect, it } from 'vitest'
import { proveCases } from './corpusrun.js'
import { readCases } from './corpuscases.js'

it('is a corpus of at least 150 cases', () => {
  expect(readCases().length).toBeGreaterThanOrEqual(150)
})

proveCases('pgdump')
