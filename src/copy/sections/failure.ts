/** A driver's error as one of ours: on which server it was, and what to do about it. */
import { ConnectionError, DataError, messageOf, PgsyncerError } from '../../core/errors.js'
import { explain } from '../../data/explain.js'
import { roleOf } from '../../postgres/blame.js'
import { isConnectionLoss } from '../../postgres/failure.js'

/** What is neither ours nor a server's (a mistake in the program) comes back as it is. */
export function explainFailure(error: unknown, table: string): unknown {
  if (error instanceof PgsyncerError) return error
  const role = roleOf(error)
  if (isConnectionLoss(error)) {
    return new ConnectionError(`the connection to ${role ?? 'a server'} was lost: ${messageOf(error)}`, {
      cause: error,
      table,
      hint: 'The open chunk was rolled back: run again, and it goes on from the standby’s record.'
    })
  }
  const { reason, hint, sqlstate } = explain(error)
  if (sqlstate === undefined || !/^[0-9A-Z]{5}$/.test(sqlstate)) return error
  const rights =
    'The standby’s role needs EXECUTE on the procedure, TEMPORARY on the database, and to own the sections or to hold TRUNCATE on them.'
  const advice = sqlstate === '42501' && role === 'standby' ? rights : hint
  return new DataError(reason, {
    cause: error,
    table,
    sqlstate,
    ...(advice !== undefined && { hint: advice })
  })
}
