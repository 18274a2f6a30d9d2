/**
 * Dead letters that are given again. What a letter says of a row is older than what came behind it and was written since, so it is not
 * believed: the row is written as main has it now, or taken away where main has it no more. What of it is still on its way comes
 * later, and ends in the same.
 */
import { ConfigError, FollowError } from '../core/errors.js'
import type { Change, ChangeBatch } from './ports.js'
import type { Completer } from './sources/complete.js'
import { keyOf, nameOf } from './table.js'

/**
 * The batch with the rows of these of its changes as main has them now.
 * @throws FollowError for a TRUNCATE, ConfigError without main: what is right nobody knows then.
 */
export async function asMainHasThem(
  batch: ChangeBatch,
  replayed: ReadonlySet<Change>,
  completer: Completer | undefined
): Promise<ChangeBatch> {
  const late = batch.changes.filter(change => replayed.has(change))
  for (const { table, operation } of late) {
    if (operation !== 'truncate') continue
    throw new FollowError(
      `a TRUNCATE of ${nameOf(table)} is not made later than it was: newer rows would go`,
      {
        table: nameOf(table),
        hint: `Make the tables the same: pgsyncer sync -t '${nameOf(table)}'.`
      }
    )
  }
  // Of rows without a key each is its own, and nothing came later for it.
  const doubtful = new Set(late.filter(({ table }) => table.keyLength > 0))
  if (doubtful.size === 0) return batch
  if (!completer) {
    const name = nameOf([...doubtful][0]!.table)
    throw new ConfigError(
      `a dead letter of ${name} was given again, and only main knows what its row is now`,
      {
        table: name,
        hint: 'Give the applier main too: --maindsn.'
      }
    )
  }
  const rows = await completer.current([...doubtful])
  const changes = batch.changes.map((change): Change => {
    if (!doubtful.has(change)) return change
    const { table, version, position } = change
    const row = rows.get(change)
    return row === undefined
      ? { table, operation: 'delete', old: keyOf(table, change.row ?? change.old ?? ''), version, position }
      : { table, operation: 'update', row, version, position }
  })
  return { ...batch, changes }
}
