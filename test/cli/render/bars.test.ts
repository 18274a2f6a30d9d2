/** What is drawn, read by a terminal that knows the few sequences that are used. */
import { PassThrough } from 'node:stream'
import stringWidth from 'string-width'
import { afterEach, expect, test, vi } from 'vitest'
import { Bars } from '../../../src/cli/render/bars.js'
import { Tracker } from '../../../src/cli/render/tracker.js'
import type { RunEvent } from '../../../src/core/events.js'

/** Lines from the top. What is printed behind the last column is not parted: no line may be that long. */
class Terminal {
  lines = ['$ pgsyncer diff', '']
  #row = 1
  /** The cursor stands in the first column. */
  #first = true

  take(text: string): void {
    // oxlint-disable-next-line no-control-regex -- what moves the cursor and clears
    for (const [part] of text.matchAll(/\u001b\[\d*[AKJ]|[\r\n]|[^\u001b\r\n]+/g)) {
      if (part.endsWith('A') && part.startsWith('\u001b')) this.#row -= Number(part.slice(2, -1))
      else if (part === '\u001b[K' || part === '\u001b[J') {
        if (this.#first) this.lines[this.#row] = ''
        if (part.endsWith('J')) this.lines.splice(this.#row + 1)
      } else if (part === '\n') this.lines[++this.#row] ??= ''
      else if (part !== '\r') this.lines[this.#row] = part
      this.#first = part === '\r' || part === '\n' || (this.#first && part.startsWith('\u001b'))
    }
  }
}

afterEach(() => void vi.useRealTimers())

function screen(columns: number, rows: number) {
  vi.useFakeTimers()
  let now = 0
  let writes = 0
  let text = ''
  const terminal = new Terminal()
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns, rows })
  stream.setEncoding('utf8').on('data', (part: string) => {
    writes++
    text += part
    terminal.take(part)
  })
  const tracker = new Tracker(() => now)
  const bars = new Bars(stream, tracker, () => now)
  const take = (event: RunEvent) => {
    tracker.add(event)
    bars.take(event)
  }
  const pass = (milliseconds: number) => {
    now += milliseconds
    vi.advanceTimersByTime(milliseconds)
  }
  return {
    terminal,
    stream,
    bars,
    take,
    pass,
    writes: () => writes,
    text: () => text,
    shown: () => terminal.lines.slice(1)
  }
}

test('two lines for the whole, and one for each table that takes longer than a moment', () => {
  const { take, pass, shown } = screen(80, 24)
  take({ type: 'phase', phase: 'compare' })
  take({ type: 'plan', tables: 500, rows: 3_000_000 })
  take({ type: 'table-start', table: 'public.orders', rows: 1_500_000 })
  take({ type: 'table-start', table: 'public.customer_invoice_line_items_archive_2026', rows: 900_000 })
  take({ type: 'table-start', table: 'public.顧客請求明細表の保管庫と履歴', rows: -1 })
  take({ type: 'rows', table: 'public.orders', rows: 750_000 })
  take({ type: 'rows', table: 'public.顧客請求明細表の保管庫と履歴', rows: 1200 })
  pass(400)
  expect(shown()).toHaveLength(2)
  pass(400)
  expect(`\n${shown().join('\n')}\n`).toMatchInlineSnapshot(`
    "
    comparing rows                █░░░░░░░░░░░ 9%
      0 of 500 tables, 751,200 rows, 939,000 rows/s, about 7.7 s left
      public.orders               ██████░░░░░░ 750,000 of about 1,500,000
      public.custom…_archive_2026 ░░░░░░░░░░░░ 0 of about 900,000
      public.顧客請…保管庫と履歴  ░░░░░░░░░░░░ 1,200 rows
    "
  `)
})

test('a table keeps its line, and what is done at once never has one', () => {
  const { take, pass, shown } = screen(80, 24)
  take({ type: 'phase', phase: 'rows' })
  for (const table of ['a', 'b', 'c']) take({ type: 'table-start', table, rows: 9 })
  pass(600)
  const names = () =>
    shown()
      .slice(2)
      .map(line => line.trim().split(' ')[0])
  expect(names()).toEqual(['a', 'b', 'c'])
  take({ type: 'table-end', table: 'a', status: 'identical' })
  for (let table = 0; table < 500; table++) {
    take({ type: 'table-start', table: `small${table}`, rows: 9 })
    pass(20)
    expect(names()).toEqual(expect.not.arrayContaining([`small${table}`]))
    take({ type: 'table-end', table: `small${table}`, status: 'identical' })
  }
  expect(names()).toEqual(['', 'b', 'c'])
  take({ type: 'table-start', table: 'd', rows: 9 })
  pass(600)
  expect(names()).toEqual(['d', 'b', 'c'])
})

test.each([
  [80, 10],
  [200, 50],
  [40, 5],
  [20, 3]
])('500 busy tables take no more than a terminal of %i × %i has', (columns, rows) => {
  const { take, pass, shown } = screen(columns, rows)
  take({ type: 'phase', phase: 'copy' })
  for (let table = 0; table < 500; table++)
    take({ type: 'table-start', table: `public.テーブル_${table}`, rows: 1e9 })
  pass(1000)
  expect(shown().length).toBeLessThan(rows)
  expect(Math.max(...shown().map(line => stringWidth(line)))).toBeLessThan(columns)
  if (rows > 5) expect(shown().at(-1)).toMatch(/… and \d+ more$/)
})

test('nothing is written where nothing has changed, and a change is one write', () => {
  const { take, pass, writes } = screen(80, 24)
  take({ type: 'phase', phase: 'structure' })
  expect(writes()).toBe(1)
  pass(10_000)
  expect(writes()).toBe(1)
  take({ type: 'phase', phase: 'proof' })
  expect(writes()).toBe(2)
})

test('a terminal that became narrower has parted lines: they are found all the same', () => {
  const { take, pass, stream, text } = screen(80, 24)
  take({ type: 'phase', phase: 'compare' })
  for (const table of ['a', 'b']) take({ type: 'table-start', table, rows: 9 })
  pass(600)
  stream.columns = 50
  const before = text().length
  pass(200)
  // 46 and 25 columns are a line each still, 56 and 56 are two.
  expect(text().slice(before).startsWith('\u001b[5A\rcomparing rows ')).toBe(true)
})

test('what is said stands above, and afterwards alone', () => {
  const { terminal, bars, take, pass } = screen(80, 24)
  take({ type: 'phase', phase: 'compare' })
  take({ type: 'table-start', table: 'a', rows: 9 })
  pass(600)
  bars.log('a: try 1 failed\n')
  expect(terminal.lines.slice(0, 3)).toEqual([
    '$ pgsyncer diff',
    'a: try 1 failed',
    expect.stringMatching(/^comparing rows /)
  ])
  expect(terminal.lines).toHaveLength(5)
  bars.stop()
  bars.log('too late\n')
  pass(1000)
  expect(terminal.lines).toEqual(['$ pgsyncer diff', 'a: try 1 failed', 'too late', ''])
})
