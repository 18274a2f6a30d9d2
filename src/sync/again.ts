/**
 * A run is of one moment of main, which ends with the session that holds it. Where that session is lost, or a server in the midst of
 * what is not tried again piece by piece, the run begins anew at main's next moment, and its report is of that one alone: rows that
 * were written before are kept, compared again, and counted. How often, and how long servers may be away, is bounded.
 */
import { ConfigError, ConnectionError, GuardError, messageOf, PgsyncerError } from '../core/errors.js'
import { Outage } from '../core/outage.js'
import { isAway, isConnectionLoss } from '../postgres/failure.js'
import { assembleReport } from './assemble.js'
import type { SyncConfig } from './config.js'
import type { Report, TableReport } from './report.js'
import { withSession, type Before, type RunContext, type Session } from './session.js'

/** One go at it. @param earlier what the gos before it have written. */
export type Go = (session: Session, earlier: readonly TableReport[]) => Promise<Report>

/**
 * Makes goes until one was not cut short.
 * @returns the last one's report; where it has none, that of the rows written last, with the failure in it.
 * @throws what a go failed with, where no rows were written.
 */
export async function untilWhole(
  command: Report['command'],
  config: SyncConfig,
  context: RunContext,
  go: Go
): Promise<Report> {
  const started = performance.now()
  let before: Before | undefined
  /** The last one that came to the rows. */
  let writing: Session | undefined
  for (let left = config.retries; ; left--) {
    let session: Session | undefined
    let report: Report | undefined
    let failure: unknown
    const earlier = writing?.progress.tables ?? []
    try {
      report = await withSession(config, context, one => go((session = one), earlier), before)
    } catch (error) {
      if (context.signal?.aborted) throw error
      failure = error
    }
    if (session?.progress.tables) writing = session
    if (report?.ok) return report
    // Lost again before it has begun.
    if (!session && before && left > 0 && !before.outage.isGivenUp && isConnectionLoss(failure)) continue
    if (session && left > 0 && wasLost(session, failure)) {
      before = {
        notes: [...session.notes, noteOf(session, failure)],
        outage: new Outage(config.maxOutage, isAway)
      }
      continue
    }
    if (report) return report
    if (!writing || !(before || isConnectionLoss(failure))) throw explained(failure, before !== undefined)
    return assembleReport(writing, {
      command,
      started,
      plan: writing.progress.plan,
      tables: writing.progress.tables ?? [],
      sequences: [],
      views: [],
      failures: [`the run was cut short: ${messageOf(explained(failure, true))}`]
    })
  }
}

/** Another go would do better. */
function wasLost({ cut, retry }: Session, failure: unknown): boolean {
  return !retry.outage.isGivenUp && (cut.isLost || (failure !== undefined && isConnectionLoss(failure)))
}

function noteOf({ cut }: Session, failure: unknown): string {
  const what = cut.isLost ? 'the connection that held main’s snapshot was lost' : messageOf(failure)
  return `the run began anew, because ${what}: this report is of main at its own cut, no longer at that of ${cut.time}; rows written before are kept, and counted here`
}

/** A person's words for what a driver said; a guard that refuses now does so when something has been changed. */
function explained(failure: unknown, begun: boolean): unknown {
  if (
    failure instanceof ConfigError ||
    (failure instanceof PgsyncerError && !(failure instanceof GuardError))
  )
    return failure
  const hint = 'Run again: what is done is done.'
  if (failure instanceof GuardError) {
    return begun
      ? new ConnectionError(`a connection was lost, and when the run began anew: ${failure.message}`, {
          hint: failure.hint ?? hint,
          cause: failure
        })
      : failure
  }
  return isConnectionLoss(failure)
    ? new ConnectionError(`a connection was lost: ${messageOf(failure)}`, { hint, cause: failure })
    : failure
}

/** Adds to a table what earlier goes wrote to it. */
export function withEarlier(tables: readonly TableReport[], earlier: readonly TableReport[]): TableReport[] {
  const nameOf = (one: TableReport) => JSON.stringify([one.schema, one.table])
  const before = new Map(earlier.map(one => [nameOf(one), one]))
  return tables.map(table => {
    const old = before.get(nameOf(table))
    if (!old || old.insert + old.update + old.delete === 0) return table
    return {
      ...table,
      status: table.status === 'identical' ? 'synced' : table.status,
      insert: table.insert + old.insert,
      update: table.update + old.update,
      delete: table.delete + old.delete,
      samples: [...old.samples, ...table.samples].slice(0, Math.max(old.samples.length, table.samples.length))
    }
  })
}
