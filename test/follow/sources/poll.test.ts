/** poll: what it shares with every source, and what is its own: ids, the lock horizon, and what stands in for it. */
import { openPoll } from '../../../src/follow/sources/poll.js'
import { sourceContract } from '../../contracts/source.js'

sourceContract('poll', { source: 'poll', open: openPoll, remembers: false })
