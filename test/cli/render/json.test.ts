import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import type { SectionsReport } from '../../../src/cli/render/copy.js'
import { renderJson } from '../../../src/cli/render/json.js'
import type { CopyReport } from '../../../src/copy/run.js'
import { hazards } from '../../../src/schema/change.js'
import type { ClickHouseDdlReport } from '../../../src/follow/clickhouseddl.js'
import type { DeadLettersReport } from '../../../src/follow/deadletters.js'
import type { FollowReport } from '../../../src/follow/report.js'
import type { CaptureReport, StatusReport } from '../../../src/follow/standing.js'
import type { PlanReport } from '../../../src/sync/plan/report.js'
import type { CheckReport } from '../../../src/sync/check.js'
import { change, full, report, tableReport } from '../reports.js'

type Schema = Record<string, unknown>

/** The published schema lets later versions add fields; here a field that it does not name is a fault. */
function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict)
  if (typeof schema !== 'object' || schema === null) return schema
  const parts = Object.fromEntries(
    Object.entries(schema).map(([name, part]) => [name, strict(part)])
  ) as Schema
  return parts.type === 'object' && parts.properties && !('additionalProperties' in parts)
    ? { ...parts, additionalProperties: false }
    : parts
}

const published = JSON.parse(readFileSync('docs/report.schema.json', 'utf8')) as Schema
const ajv = new Ajv2020({ strict: true, strictRequired: true, allowUnionTypes: true, allErrors: true })
const validate = ajv.compile(strict(published) as Schema)

function errors(document: unknown): unknown {
  return validate(document) ? [] : validate.errors
}

describe('docs/report.schema.json', () => {
  const everything = report(
    [...full.tables, tableReport({ left: 2, overriding: true, generated: ['total'], key: [] })],
    {
      ...full,
      command: 'sync',
      cut: { snapshot: null, lsn: null, time: 'now' },
      schema: {
        identical: false,
        changes: [
          change({ hazards: [...hazards], sql: ['a;', 'b;'], reason: 'x' }),
          ...(['create', 'replace', 'drop', 'rewrite'] as const).map(action => change({ action }))
        ],
        script: {
          preamble: ['SET a = b;'],
          outside: [],
          structure: [{ sql: 'a;', label: 'alter TABLE public.orders', hazards: ['deletes-data'] }],
          constraints: []
        }
      },
      failures: ['view v']
    }
  )

  const preflight: CheckReport = {
    version: 1,
    command: 'check',
    ok: false,
    findings: [{ level: 'error', check: 'x', message: 'y', hint: 'z' }]
  }

  const applied: PlanReport = {
    version: 1,
    command: 'apply-plan',
    kind: 'plan',
    applied: true,
    ok: true,
    standby: full.standby,
    cut: 'now',
    tables: [{ schema: 'public', table: 't', insert: 1, update: 2, delete: 3 }],
    structure: ['alter TABLE public.t'],
    sequences: [{ schema: 'public', name: 's', status: 'left', value: '5', reason: 'x' }],
    missing: ['x'],
    undo: '/undo.json',
    failures: [],
    notes: [],
    durationMs: 1
  }

  const copied: CopyReport = {
    version: 1,
    command: 'copy',
    ok: true,
    main: full.main,
    standby: full.standby,
    table: 'public.profiles',
    idColumn: 'id',
    resumedAfter: null,
    rows: 3,
    batches: 1,
    retries: 0,
    lastId: '9223372036854775807',
    durationMs: 1
  }
  const sections: SectionsReport = {
    version: 1,
    command: 'copy',
    ok: true,
    mode: 'bootstrap',
    rows: 1,
    sections: 1,
    chunks: 1,
    cursor: null,
    durationMs: 1,
    notes: ['x']
  }

  const followed: FollowReport = {
    version: 1,
    command: 'follow',
    ok: true,
    source: 'wal',
    stream: 'default',
    tables: [{ table: 'public.t', copied: 1, insert: 2, update: 3, delete: 4, truncate: 5 }],
    batches: 1,
    retries: 0,
    position: null,
    durationMs: 1
  }
  const aside: DeadLettersReport = {
    version: 1,
    command: 'dead-letters',
    ok: true,
    stream: 'default',
    group: 'default',
    letters: [{ where: 'here', reason: 'no such column', at: 1, content: '{}' }],
    replayed: 0
  }
  const ddl: ClickHouseDdlReport = {
    version: 1,
    command: 'clickhouse-ddl',
    ok: true,
    stream: 'default',
    group: 'default',
    tables: { 'public.items': 'items' },
    statements: [{ about: 'The rows', sql: 'CREATE …' }]
  }
  const captured: CaptureReport = {
    version: 1,
    command: 'capture',
    ok: true,
    action: 'install',
    statements: ['CREATE …'],
    dryRun: false,
    status: {
      source: 'wal',
      name: 'default',
      installed: true,
      objects: [{ kind: 'publication', name: 'p', state: 'present', detail: 'x' }],
      notes: ['x']
    }
  }
  const standing: StatusReport = {
    version: 1,
    command: 'status',
    ok: true,
    streams: [{ name: 'a', origin: 'wal x', position: null, tables: { 'public.t': null }, updated: null }],
    lag: { a: { bytes: 1, rows: 2, retainedBytes: 3 } }
  }

  test.each([
    ['diff', full],
    ['sync', everything],
    ['check', preflight],
    ['apply-plan', applied],
    ['copy', copied],
    ['copy, nothing', { ...copied, resumedAfter: '-3', lastId: null }],
    ['copy --sections', sections],
    ['follow', followed],
    ['publish', { ...followed, command: 'publish' as const }],
    ['apply', { ...followed, command: 'apply' as const, source: null }],
    ['dead-letters', aside],
    ['clickhouse-ddl', ddl],
    ['capture', captured],
    ['status', { ...standing, streams: [] }],
    ['status with a lag', standing]
  ])('%s is valid as it is printed', (_name, document) => {
    expect(errors(JSON.parse(renderJson(document)))).toEqual([])
  })

  test.each([
    ['another version', { ...full, version: 2 }],
    ['a field that it does not name', { ...full, extra: 1 }],
    ['an unknown status', { ...full, tables: [tableReport({ status: 'odd' as 'failed' })] }],
    ['a part that is missing', { ...full, totals: undefined }],
    [
      'an unknown hazard',
      { ...full, schema: { ...full.schema, changes: [change({ hazards: ['odd' as 'authorization'] })] } }
    ]
  ])('%s is not', (_name, document) => {
    expect(errors(JSON.parse(JSON.stringify(document)))).not.toEqual([])
  })
})
