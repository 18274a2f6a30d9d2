/** What main says when it cannot give a slot's changes, in words that say what to do. */
import { FollowError, messageOf } from '../../../core/errors.js'
import { codeOf } from '../../../postgres/failure.js'
import { copyAnew } from '../../capture/slot.js'
import { slotInUse } from '../../capture/wal.js'

export function streamFailure(error: unknown, slot: string): unknown {
  const said = messageOf(error)
  const code = codeOf(error)
  const details = { cause: error, ...(code !== undefined && { sqlstate: code }) }
  if (code === '55006') return slotInUse(slot, /PID (\d+)/.exec(said)?.[1] ?? 'another')
  if (code === '42704' && said.includes('publication')) {
    return new FollowError(`main had no publication ${slot} when what is to be read was changed: ${said}`, {
      ...details,
      hint: `It was dropped, or made after the slot. ${copyAnew}`
    })
  }
  if (code === '42704') {
    return new FollowError(`the replication slot ${slot} is gone from main`, {
      ...details,
      hint: copyAnew
    })
  }
  if (code === '55000' || code === '58P01') {
    return new FollowError(`main has thrown away the WAL of the replication slot ${slot}: ${said}`, {
      ...details,
      hint: copyAnew
    })
  }
  return error
}

/** @param error of making a slot. */
export function slotFailure(error: unknown): unknown {
  if (codeOf(error) !== '53400') return error
  return new FollowError('main has no replication slot left: max_replication_slots is reached', {
    cause: error,
    sqlstate: '53400',
    hint: 'Drop slots that nobody uses (SELECT * FROM pg_replication_slots WHERE NOT active), or raise max_replication_slots and restart main; a first copy needs one more for as long as it begins.'
  })
}
