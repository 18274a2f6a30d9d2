/** Reports to render: one with something of everything, and ways to vary it. */
import type { Hazard, SchemaStatement } from '../../src/schema/change.js'
import type { Report, SchemaChange, TableReport } from '../../src/sync/report.js'

export function tableReport(over: Partial<TableReport> = {}): TableReport {
  return {
    schema: 'public',
    table: 'orders',
    status: 'identical',
    key: ['id'],
    rows: { main: 1000, standby: 1000 },
    insert: 0,
    update: 0,
    delete: 0,
    samples: [],
    ...over
  }
}

export function change(over: Partial<SchemaChange> = {}): SchemaChange {
  return {
    kind: 'TABLE',
    schema: 'public',
    name: 'orders',
    action: 'alter',
    status: 'pending',
    sql: ['ALTER TABLE public.orders DROP COLUMN note;'],
    hazards: [],
    ...over
  }
}

export function statement(sql: string, label: string, ...hazards: Hazard[]): SchemaStatement {
  return { sql, label, hazards }
}

export const orders = tableReport({
  status: 'differs',
  rows: { main: 2_000_000, standby: 1_999_999 },
  insert: 2,
  update: 1,
  delete: 1,
  samples: [
    {
      key: { id: '7' },
      kind: 'update',
      columns: { status: { main: 'paid', standby: 'open' }, note: { main: null, standby: 'a b' } }
    },
    {
      key: { id: '8' },
      kind: 'insert',
      columns: { id: { main: '8' }, status: { main: 'new' }, note: { main: '' } }
    },
    {
      key: { id: '9' },
      kind: 'delete',
      columns: { id: { standby: '9' }, status: { standby: 'old' }, note: { standby: null } }
    }
  ]
})

/** Totals, `ok` and `identical` follow from the tables. */
export function report(tables: TableReport[], over: Partial<Report> = {}): Report {
  const count = (status: TableReport['status']) => tables.filter(table => table.status === status).length
  const sum = (of: (table: TableReport) => number) => tables.reduce((total, table) => total + of(table), 0)
  return {
    version: 1,
    command: 'diff',
    identical: tables.every(table => table.status === 'identical'),
    ok: count('failed') === 0,
    cut: { snapshot: '00000003-0000001B-1', lsn: '0/1A2B3C4D', time: '2025-11-21T09:30:00Z' },
    main: { address: 'db1:5432/shop', version: '15.20' },
    standby: { address: 'db2.example.org:5433/shop', version: '17.2' },
    schema: { identical: true, changes: [] },
    tables,
    sequences: [],
    views: [],
    totals: {
      tables: tables.length,
      identical: count('identical'),
      differs: count('differs'),
      synced: count('synced'),
      failed: count('failed'),
      skipped: count('skipped'),
      rows: { main: sum(table => table.rows.main), standby: sum(table => table.rows.standby) },
      insert: sum(table => table.insert),
      update: sum(table => table.update),
      delete: sum(table => table.delete)
    },
    failures: [],
    notes: [],
    durationMs: 1234,
    ...over
  }
}

/** Something of everything. */
export const full = report(
  [
    tableReport({ table: 'customers' }),
    orders,
    tableReport({
      table: 'events',
      status: 'failed',
      reason: 'permission denied',
      hint: 'GRANT SELECT on it.'
    }),
    tableReport({ table: 'old', status: 'skipped', reason: 'unlogged' })
  ],
  {
    schema: {
      identical: false,
      changes: [
        {
          kind: 'TABLE',
          schema: 'public',
          name: 'new',
          action: 'create',
          status: 'pending',
          sql: ['CREATE TABLE public.new (id int);'],
          hazards: []
        },
        {
          kind: 'VIEW',
          schema: 'public',
          name: 'gone',
          action: 'drop',
          status: 'left',
          sql: ['DROP VIEW public.gone;'],
          hazards: [],
          reason: 'only with --clean-extra'
        }
      ],
      script: {
        outside: [],
        structure: [statement('CREATE TABLE public.new (id int);', 'create TABLE public.new')],
        constraints: []
      }
    },
    sequences: [
      {
        schema: 'public',
        name: 'orders_id_seq',
        status: 'differs',
        main: '9223372036854775807',
        standby: '12',
        called: true
      },
      { schema: 'public', name: 'fresh', status: 'identical', main: '1', standby: '1', called: false },
      { schema: 'public', name: 'far', status: 'ahead', main: '5', standby: '9', called: true }
    ],
    views: [
      { schema: 'public', name: 'same', status: 'identical', populated: true, main: 3, standby: 3 },
      { schema: 'public', name: 'sums', status: 'differs', populated: true, main: 120_000, standby: 120_001 },
      {
        schema: 'public',
        name: 'idle',
        status: 'differs',
        populated: false,
        main: null,
        standby: 7,
        reason: 'not populated on main'
      }
    ],
    notes: ['main has 3 large objects: they are not compared and not moved']
  }
)
