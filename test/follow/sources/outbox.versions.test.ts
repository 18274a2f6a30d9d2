/** outbox on the oldest and the newest server that are tested: triggers and JSON are not the same everywhere. */
import { afterAll, beforeAll, describe } from 'vitest'
import type { ThrowawayServer } from '../../../src/cli/demo/servers.js'
import { openOutboxCapture } from '../../../src/follow/capture/outbox.js'
import { openOutbox } from '../../../src/follow/sources/outbox.js'
import { sourceContract } from '../../contracts/source.js'
import { startVersion } from '../../support/versions.js'

describe.each([12, 17] as const)('PostgreSQL %i', major => {
  let server: ThrowawayServer
  beforeAll(async () => {
    server = await startVersion(major)
  })
  afterAll(async () => server.stop('immediate'))

  sourceContract(`outbox of ${major}`, {
    source: 'outbox',
    open: openOutbox,
    capture: openOutboxCapture,
    remembers: true,
    adminUrl: () => server.url
  })
})
