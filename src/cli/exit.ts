/** Exit codes, in one place: a report or the class of an error decides, never a text. */
import { constants } from 'node:os'
import { ConfigError, GuardError } from '../core/errors.js'
import type { Report } from '../sync/report.js'

export const exitCodes = { done: 0, failed: 1, usage: 2, differs: 3, refused: 4 } as const

/** Why a run's AbortSignal was aborted: the process was told to end. */
export class Stopped extends Error {
  constructor(readonly by: 'SIGINT' | 'SIGTERM') {
    super(`stopped by ${by}`)
    this.name = 'Stopped'
  }
}

/** 130 for INT, 143 for TERM. */
export function exitCodeOfSignal(by: 'SIGINT' | 'SIGTERM'): number {
  return 128 + constants.signals[by]
}

/** 0, 1 where any part failed, 3 where a diff found differences. */
export function exitCodeOfReport(report: Pick<Report, 'command' | 'identical' | 'ok'>): number {
  if (!report.ok) return exitCodes.failed
  return report.command === 'diff' && !report.identical ? exitCodes.differs : exitCodes.done
}

/** By the error's class; of several, by the first one's. */
export function exitCodeOfError(error: unknown): number {
  if (error instanceof AggregateError && error.errors.length > 0) return exitCodeOfError(error.errors[0])
  if (error instanceof ConfigError) return exitCodes.usage
  if (error instanceof GuardError) return exitCodes.refused
  return exitCodes.failed
}
