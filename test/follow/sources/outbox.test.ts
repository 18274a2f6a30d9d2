/** outbox: what it shares with every source, and what is its own: the capture, DDL under it, partitions, and who reads. */
import { openOutboxCapture } from '../../../src/follow/capture/outbox.js'
import { openOutbox } from '../../../src/follow/sources/outbox.js'
import { sourceContract } from '../../contracts/source.js'

sourceContract('outbox', {
  source: 'outbox',
  open: openOutbox,
  capture: openOutboxCapture,
  remembers: true
})
