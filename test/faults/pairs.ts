/** A main and a standby for the time of one attack, and what a run on them is told. */
import type { SyncOptions } from '../../src/index.js'
import { createPair, type Pair, type PairOptions } from '../support/databases.js'

export async function withPair(
  options: PairOptions,
  use: (pair: Pair, config: SyncOptions) => Promise<void>
): Promise<void> {
  const pair = await createPair(options)
  try {
    await use(pair, { main: pair.main.url, standby: pair.standby.url, env: { PATH: process.env.PATH } })
  } finally {
    await pair.drop()
  }
}
