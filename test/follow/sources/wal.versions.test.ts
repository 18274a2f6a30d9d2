/** Following by the WAL on the oldest and the newest server that are tested. */
import { afterAll, beforeAll, describe } from 'vitest'
import type { ThrowawayServer } from '../../../src/cli/demo/servers.js'
import { openWalCapture } from '../../../src/follow/capture/wal.js'
import { openWal } from '../../../src/follow/sources/wal/source.js'
import { sourceContract } from '../../contracts/source.js'
import { startVersion } from '../../support/versions.js'

describe.each([12, 17] as const)('PostgreSQL %i', major => {
  let server: ThrowawayServer
  beforeAll(async () => {
    server = await startVersion(major)
  })
  afterAll(async () => server.stop())

  sourceContract(`wal of ${major}`, {
    source: 'wal',
    open: openWal,
    capture: openWalCapture,
    remembers: true,
    adminUrl: () => server.url
  })
})
