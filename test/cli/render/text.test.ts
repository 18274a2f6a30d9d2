import { stripVTControlCharacters } from 'node:util'
import stringWidth from 'string-width'
import { describe, expect, test, vi } from 'vitest'
import type { Io } from '../../../src/cli/io.js'
import { makePaint, paintFor, plain } from '../../../src/cli/render/paint.js'
import { renderCheck, renderText } from '../../../src/cli/render/text.js'
import type { TableReport } from '../../../src/sync/report.js'
import { fakeIo } from '../console.js'
import { change, full, orders, report, tableReport } from '../reports.js'

// What chalk finds on a terminal that has colours.
vi.mock('chalk', async original => ({
  ...(await original<typeof import('chalk')>()),
  supportsColor: { level: 1 }
}))

const style = (width: number, verbose = false) => ({ paint: plain, width, verbose })

describe('renderText', () => {
  test('says everything that is not the same', () => {
    expect(renderText(full, style(100))).toMatchInlineSnapshot(`
      "pgsyncer diff
        main    db1:5432/shop              PostgreSQL 15.20
        standby db2.example.org:5433/shop  PostgreSQL 17.2
        cut     2025-11-21T09:30:00Z · LSN 0/1A2B3C4D · snapshot 00000003-0000001B-1

      Structure
        create  pending  TABLE public.new
          CREATE TABLE public.new (id int);
        drop    left     VIEW public.gone
          only with --clean-extra

      Tables
        table          status   rows main  rows standby  insert  update  delete
        public.orders  differs  2,000,000     1,999,999       2       1       1
        public.events  failed       1,000         1,000       0       0       0
        public.old     skipped      1,000         1,000       0       0       0

        public.orders
          ~ id=7  status: open → paid, note: 'a b' → NULL
          + id=8  status=new note=''
          - id=9  status=old note=NULL
          … and 1 more row

        public.events
          permission denied
          GRANT SELECT on it.

        public.old
          unlogged

        The other table is identical.

      Sequences
        sequence              status                        main  standby
        public.orders_id_seq  differs  9,223,372,036,854,775,807       12
        public.far            ahead                            5        9

      Materialized views
        view         status   rows main  rows standby
        public.sums  differs    120,000       120,001
        public.idle  differs          –             7
          public.idle: not populated on main

      Notes
        main has 3 large objects: they are not compared and not moved

      Failed: 1 of 4 tables, each named above; besides, the standby differs: 1 of 4 tables (2 rows to
      insert, 1 to update, 1 to delete), 2 objects, 1 sequence and 2 materialized views (1.2 s)
      "
    `)
  })

  test.each([60, 80, 100, 200])('fits %i columns', width => {
    const long = tableReport({
      schema: 'averylongschemaname',
      table: 'an_even_longer_table_name_'.repeat(6),
      status: 'synced'
    })
    const wide = tableReport({
      table: 'wide',
      status: 'differs',
      insert: 1,
      samples: [
        {
          key: { id: '1' },
          kind: 'insert',
          columns: { id: { main: '1' }, text: { main: '日本語 '.repeat(100) } }
        }
      ]
    })
    const lines = renderText(report([long, wide, orders]), style(width)).split('\n')
    expect(Math.max(...lines.map(line => stringWidth(line)))).toBeLessThanOrEqual(width)
    expect(lines.join()).toContain('averylo')
  })

  test('many identical tables are one line, or with --verbose a line each', () => {
    const tables = Array.from({ length: 1500 }, (_, n) => tableReport({ table: `t${n}` }))
    expect(renderText(report(tables), style(100))).toContain('  All 1,500 tables are identical.\n')
    expect(renderText(report([...tables, orders]), style(100))).toContain(
      '  The other 1,500 tables are identical.\n'
    )
    expect(
      renderText(report(tables), style(100, true))
        .split('\n')
        .filter(line => /public\.t\d+ +identical/.test(line))
    ).toHaveLength(1500)
  })

  test('nothing that a database holds reaches the terminal as it is', () => {
    const evil = '\u001b[31mred\u0007\n\u202eevil'
    const table = tableReport({
      table: evil,
      status: 'failed',
      reason: evil,
      samples: [{ key: { [evil]: evil }, kind: 'update', columns: { [evil]: { main: evil, standby: null } } }]
    })
    const text = renderText(report([table], { notes: [evil], failures: [evil] }), style(200))
    for (const character of ['\u001b', '\u0007', '\u202e']) expect(text).not.toContain(character)
    expect(text).toContain('\\u{1b}[31mred\\u{7}\\n\\u{202e}evil')
  })

  test('a change deep in a long value shows what changed', () => {
    const start = 'x'.repeat(500)
    const columns = { text: { main: `${start}new`, standby: `${start}old` } }
    const table = tableReport({
      status: 'differs',
      update: 1,
      samples: [{ key: { id: '1' }, kind: 'update', columns }]
    })
    expect(renderText(report([table]), style(80))).toContain('~ id=1  text: …xxxxxxxxold → …xxxxxxxxnew')
  })

  test.each([
    ['identical', report([tableReport()]), 'The databases are identical: 1 table, 1,000 rows (1.2 s)'],
    [
      'differs',
      report([orders, tableReport()]),
      'The standby differs: 1 of 2 tables (2 rows to insert, 1 to update, 1 to delete) (1.2 s)'
    ],
    [
      'failed',
      report([orders, tableReport({ status: 'failed' })]),
      'Failed: 1 of 2 tables, each named above; besides, the standby differs: 1 of 2 tables (2 rows to insert, 1 to update, 1 to delete) (1.2 s)'
    ],
    [
      'an object failed: it is counted once',
      report([tableReport()], {
        command: 'sync',
        ok: false,
        identical: false,
        schema: {
          identical: false,
          changes: [change({ status: 'failed' }), change({ name: 'b', status: 'left' })]
        }
      }),
      'Failed: 1 object, each named above; besides, the standby differs: 1 object (1.2 s)'
    ],
    [
      'synced',
      report([tableReport({ status: 'synced', insert: 1, delete: 2000 })], {
        command: 'sync',
        identical: true
      }),
      'The standby is now the same as main: 1 table, 1,000 rows; 1 row inserted and 2,000 deleted (1.2 s)'
    ],
    [
      'nothing to do',
      report([tableReport()], { command: 'sync', identical: true, durationMs: 65_400 }),
      'The standby is now the same as main: 1 table, 1,000 rows; nothing had to be changed (1 min 5 s)'
    ],
    [
      'left over',
      report([tableReport({ status: 'differs', left: 3 })], { command: 'sync' }),
      'Done, but the standby still differs: 1 of 1 table (3 rows that main does not have); nothing had to be changed (1.2 s)'
    ]
  ])('verdict: %s', (_name, one, expected) => {
    expect(renderText(one, style(200)).trimEnd().split('\n').at(-1)).toBe(expected)
  })
})

describe('tables', () => {
  const lines = (tables: TableReport[], width: number) =>
    renderText(report(tables), style(width))
      .split('\n')
      .filter(line => /^ {2}(?:table|public\.) ?/.test(line) && line.includes('  '))

  test('what was not looked at has no numbers', () => {
    const unread = tableReport({ status: 'skipped', rows: { main: 0, standby: 0 }, reason: 'no rights' })
    expect(lines([unread], 80)[1]).toMatch(/^ {2}public\.orders +skipped(?: +–){5}$/)
  })

  test('names are cut in their middle, and how many rows there are is left out first', () => {
    const one = tableReport({ table: 'invoice_line_items_of_2026', status: 'differs', update: 1_234_567 })
    expect(lines([one], 80)[1]).toMatch(/^ {2}public\.i\S*…\S*_2026 +differs +1,000 +1,000 +0 +1,234,567 +0$/)
    const [heading, row] = lines([one], 60)
    expect(heading).toMatch(/^ {2}table +status +insert +update +delete$/)
    expect(row).toMatch(/^ {2}public\.\S*…\S*_2026 +differs +0 +1,234,567 +0$/)
    expect(row!.length).toBe(60)
  })
})

test('a finding of check that is too long goes on below its beginning', () => {
  const message = Array.from({ length: 30 }, (_, n) => `word${n}`).join(' ')
  const text = renderCheck(
    {
      version: 1,
      command: 'check',
      ok: true,
      findings: [{ level: 'warning', check: 'keys', message, hint: message }]
    },
    style(60)
  )
  const shown = text.trimEnd().split('\n')
  expect(shown[0]).toMatch(/^warning {2}keys: word0 word1/)
  expect(shown.slice(1, -2).every(line => /^ {9}word/.test(line))).toBe(true)
  expect(Math.max(...shown.map(line => line.length))).toBeLessThanOrEqual(60)
  expect(text.match(/word29/g)).toHaveLength(2)
})

describe('colours', () => {
  test('by meaning', () => {
    const text = renderText(full, { ...style(100), paint: makePaint(1) })
    expect(text).toContain('\u001b[33mdiffers\u001b[39m')
    expect(text).toContain('\u001b[31mfailed\u001b[39m')
    expect(stripVTControlCharacters(text)).toBe(renderText(full, style(100)))
  })

  test('as the terminal can, but none with NO_COLOR, with --no-color, and where there is no terminal', () => {
    const terminal = { ...fakeIo(), stdout: process.stdout }
    const bad = (io: Io, noColor: boolean) => paintFor(io, io.stdout, noColor).bad('x')
    expect(bad(terminal, false)).toBe('\u001b[31mx\u001b[39m')
    expect(bad({ ...terminal, env: { NO_COLOR: '' } }, false)).toBe('\u001b[31mx\u001b[39m')
    expect(bad({ ...terminal, env: { NO_COLOR: '1' } }, false)).toBe('x')
    expect(bad(terminal, true)).toBe('x')
    expect(bad(fakeIo(), false)).toBe('x')
  })
})
