/**
 * Which test files begin first where nothing is known of earlier runs: those that take longest, or else all would wait in the end for one that
 * began last. (vitest takes the size of a file for its length, and the corpus is three lines.)
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** By their time, the longest first; a minute and more. */
const long = [
  'schema/corpus.test.ts',
  'follow/chaos/brokers.test.ts',
  'docs/commands.test.ts',
  'schema/badinput.test.ts',
  'schema/corpussound.test.ts',
  'follow/chaos/postgres.test.ts',
  'follow/chaos/clickhouse.test.ts',
  'sync/drift.test.ts',
  'follow/transports/rabbitmq.test.ts',
  'faults/random.test.ts',
  'faults/kills.test.ts',
  'faults/network.test.ts',
  'faults/limits.test.ts',
  'sync/updated.test.ts',
  'schema/chains.test.ts',
  'sync/faults.test.ts',
  'sync/rights.test.ts',
  'follow/follow.test.ts',
  'copy/faults.test.ts'
]

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const found = long.findIndex(name => moduleId.endsWith(`/test/${name}`))
      return found === -1 ? long.length : found
    }
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b))
  }
}
