/** Following by the WAL: the contract of all sources, and what only this one has to know. */
import { openWalCapture } from '../../../src/follow/capture/wal.js'
import { openWal } from '../../../src/follow/sources/wal/source.js'
import { sourceContract, type SourceSetup } from '../../contracts/source.js'

const setup: SourceSetup = { source: 'wal', open: openWal, capture: openWalCapture, remembers: true }

sourceContract('wal', setup)
