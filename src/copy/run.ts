/** One copy between two PostgreSQL servers, as the command line asks for it: copyTable over the pool, told as events. */
import type { Emit } from '../core/events.js'
import { copyTable } from './copytable.js'
import { PostgresPool } from './postgres/pool.js'
import { completeCopy, type CopyRunConfig, type CopyRunOptions } from './runconfig.js'
import type { CopyProgress } from './types.js'

/** What a copy did; `version` 1 of docs/report.schema.json. */
export interface CopyReport {
  version: 1
  command: 'copy'
  ok: true
  main: { address: string; version: string }
  standby: { address: string; version: string }
  /** `schema.table` */
  table: string
  idColumn: string
  /** The id behind which it began, where it was to be resumed and the standby had rows. */
  resumedAfter: string | null
  rows: number
  batches: number
  retries: number
  /** The greatest id copied; null where there was nothing to copy. */
  lastId: string | null
  durationMs: number
}

export interface CopyRunContext {
  signal?: AbortSignal
  emit?: Emit
}

/**
 * Copies the table.
 * @throws ConfigError for wrong options; whatever copyTable throws.
 */
export async function copy(options: CopyRunOptions, context: CopyRunContext = {}): Promise<CopyReport> {
  const config = completeCopy(options)
  const { emit = () => {} } = context
  const started = performance.now()
  const { batchSize, main, standby, env, idColumn, resume, lockTimeout, statementTimeout } = config
  const [table = '', schema = ''] = [config.tables[0], config.schemas[0]]
  const limits = { lockTimeout, statementTimeout }
  const pool = new PostgresPool({
    main,
    standby,
    env,
    table,
    schema,
    idColumn,
    batchSize,
    opaque: true,
    resume,
    ...limits,
    emit
  })
  emit({ type: 'phase', phase: 'connect' })
  const onProgress = told(config, pool.layout.table, emit)
  const result = await copyTable(config, pool, 'main', 'standby', {
    ...(context.signal && { signal: context.signal }),
    onProgress
  })
  emit({ type: 'table-end', table: pool.layout.table, status: 'copied' })
  const side = (role: 'main' | 'standby') => {
    const { address, version } = pool.server(role)!
    return { address, version }
  }
  return {
    version: 1,
    command: 'copy',
    ok: true,
    main: side('main'),
    standby: side('standby'),
    table: pool.layout.table,
    idColumn: pool.layout.names.idColumn,
    resumedAfter: pool.resumedAfter === undefined ? null : String(pool.resumedAfter),
    rows: Number(result.rows),
    batches: result.batches,
    retries: result.retries,
    lastId: result.rows === 0n ? null : String(result.lastId),
    durationMs: Math.round(performance.now() - started)
  }
}

/** Progress as events. How many rows are still to come is judged by how far the ids have come. */
function told(config: CopyRunConfig, table: string, emit: Emit): (progress: CopyProgress) => void {
  const before = { rows: 0n, retries: 0, planned: 0 }
  return ({ rows, retries, firstId, lastId, maxId }) => {
    if (retries > before.retries) {
      const reason = `a call took longer than ${config.callTimeout} ms`
      emit({ type: 'retry', what: table, attempt: retries, delay: config.retriesDelay, reason })
      before.retries = retries
    }
    if (rows === before.rows || firstId === undefined) return
    const expected = Number((rows * (maxId - firstId + 1n)) / (lastId - firstId + 1n))
    if (before.rows === 0n) {
      emit({ type: 'phase', phase: 'copy' })
      emit({ type: 'table-start', table, rows: expected })
    }
    if (Math.abs(expected - before.planned) > expected / 20) {
      emit({ type: 'plan', tables: 1, rows: expected })
      before.planned = expected
    }
    emit({ type: 'rows', table, rows: Number(rows - before.rows) })
    before.rows = rows
  }
}
