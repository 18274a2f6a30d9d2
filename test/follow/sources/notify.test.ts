/** notify: what it shares with every source, and what is its own: the signal. */
import { openNotifyCapture } from '../../../src/follow/capture/notify.js'
import { openNotify } from '../../../src/follow/sources/notify.js'
import { sourceContract } from '../../contracts/source.js'

sourceContract('notify', {
  source: 'notify',
  open: openNotify,
  capture: openNotifyCapture,
  remembers: false
})
