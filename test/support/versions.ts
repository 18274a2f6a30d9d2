/**
 * Servers of other major versions than the shared one's, for what must work between them. They take a second to
 * start, so a test file starts what it needs and stops it in afterAll.
 */
import { findBinaries } from '../../src/cli/demo/binaries.js'
import { type ThrowawayServer, startServer } from '../../src/cli/demo/servers.js'

/** The oldest and the newest major version that are tested. */
export type Major = 12 | 17

/** Starts a server of that version; its `url` goes to `createPair({ servers })`. The caller stops it. */
export async function startVersion(major: Major): Promise<ThrowawayServer> {
  const settings = { wal_level: 'logical', max_prepared_transactions: '10' }
  return startServer({ binaries: await findBinaries(major), name: `v${major}`, settings })
}
