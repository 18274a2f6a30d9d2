/** What stands on the two servers for a stream: what capture makes on main, and what the sink remembers. */
import type pg from 'pg'
import { FollowError, messageOf } from '../core/errors.js'
import type { Lag } from '../core/events.js'
import { codeOf } from '../postgres/failure.js'
import { lagOf } from './behind.js'
import type { CaptureStatus } from './capture/capture.js'
import { completeFollow, type FollowOptions } from './config.js'
import type { StoredStream } from './ports.js'
import { captureFor, openMain, readStreams } from './wiring.js'

export type CaptureAction = 'install' | 'remove' | 'status'

export interface CaptureReport {
  version: 1
  command: 'capture'
  ok: boolean
  action: CaptureAction
  /** What was run, or, with `dryRun`, would be. */
  statements: readonly string[]
  dryRun: boolean
  /** As it is afterwards. */
  status: CaptureStatus
}

/**
 * Makes, removes or shows what a source needs on main.
 * @throws ConfigError for wrong options, and for poll, which needs nothing; whatever a statement ended with.
 */
export async function capture(
  options: Partial<FollowOptions>,
  action: CaptureAction,
  dryRun: boolean
): Promise<CaptureReport> {
  const needs = action === 'install' ? (['main', 'source', 'tables'] as const) : (['main', 'source'] as const)
  const config = completeFollow(options, needs)
  const open = captureFor(config.source)
  const main = await openMain(config)
  try {
    const own = await open(main, config)
    const statements = action === 'status' ? [] : await own[action]()
    if (!dryRun) {
      const session = await main.connect()
      try {
        for (const statement of statements) await run(session, statement)
      } finally {
        await session.end().catch(() => {})
      }
    }
    const status = await own.status()
    const ok = dryRun || action === 'remove' || status.installed
    return { version: 1, command: 'capture', ok, action, statements, dryRun, status }
  } finally {
    await main.close()
  }
}

/** @throws FollowError that holds the statement. */
async function run(session: pg.Client, statement: string): Promise<void> {
  try {
    await session.query(statement)
  } catch (error) {
    const code = codeOf(error)
    throw new FollowError(`main refused a statement of the capture: ${messageOf(error)}`, {
      cause: error,
      ...(code && { sqlstate: code }),
      hint: `${code === '42501' ? 'The owner of the tables and a role with CREATE on the database may run it' : 'The others before it have run'}: ${statement}`
    })
  }
}

export interface StatusReport {
  version: 1
  command: 'status'
  ok: true
  streams: readonly StoredStream[]
  /** Of the slot or outbox of each stream, where main was named too. */
  lag?: Readonly<Record<string, Lag>>
}

/**
 * What the sink remembers of its streams (of one, where `name` is given), and, where main is named, how far it is behind.
 * @throws ConfigError for wrong options; whatever a connection ended with.
 */
export async function status(options: Partial<FollowOptions>): Promise<StatusReport> {
  const config = completeFollow(options, ['to'])
  const states = await readStreams(config)
  const streams = options.name === undefined ? states : states.filter(one => one.name === options.name)
  const report: StatusReport = { version: 1, command: 'status', ok: true, streams }
  if (!config.main) return report
  const main = await openMain(config)
  try {
    const lags = await Promise.all(
      streams.map(async one => [one.name, await lagOf(main, one.name, one)] as const)
    )
    return {
      ...report,
      lag: Object.fromEntries(lags.filter((entry): entry is [string, Lag] => entry[1] !== undefined))
    }
  } finally {
    await main.close()
  }
}
